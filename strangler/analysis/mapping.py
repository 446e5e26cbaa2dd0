"""From a folder to its couplings: read all files, see what they mean, ask every rule. Nothing is run or changed."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TypeVar

from strangler.analysis import behaviour
from strangler.analysis.behaviour import Request, Transaction
from strangler.analysis.collecting import without_collector
from strangler.analysis.coupling import Coupling
from strangler.analysis.differing import Difference
from strangler.analysis.facts import Facts
from strangler.analysis.kept import Kept, key_of, packed, unpacked
from strangler.analysis.project import Project, Summary
from strangler.analysis.reading.statements import read
from strangler.analysis.rules import (
    classes,
    hidden,
    imports,
    keys,
    links,
    messages,
    migrations,
    modelled,
    named,
    pages,
    prefixes,
    queries,
    registered,
    relations,
    settings,
    statements,
    walks,
)
from strangler.analysis.symbols import File
from strangler.analysis.telling import Tell, nobody
from strangler.analysis.tree import Tree, walk, with_contents
from strangler.analysis.truth import Asked

Rule = Callable[[Project, File], Iterator[Coupling]]
RULES: tuple[Rule, ...] = (
    imports.find,
    relations.find,
    classes.find,
    queries.find,
    hidden.find,
    modelled.find,
    named.find,
    migrations.find,
    statements.find,
    messages.find,
    links.find,
)
WHOLE: tuple[Callable[[Project], Iterator[Coupling]], ...] = (
    keys.find,
    pages.find,
    prefixes.find,
    settings.find,
    walks.find,
)
"""Rules that look at all files at once."""
_FEW = 200
"""Files below which other processes take longer than they save."""
_AT_ONCE = 50
"""Files of which a process is given at once."""
_TURNS = 16
"""Times that a process is given some, before another one takes its place: of the memory that all share, what a process
has touched is a copy of its own, and goes with it."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Map:
    """What was found. "unread" are files that nobody could read, as sentences: with some the map is partial."""

    summary: Summary
    couplings: tuple[Coupling, ...]
    """Between apps."""
    inner: tuple[Coupling, ...]
    """Within one, from module to module or model."""
    unread: tuple[str, ...]
    said: tuple[str, ...] = ()
    """Where models and routes come from, if somebody asked for Django's registries, as sentences."""
    transactions: tuple[Transaction, ...] = ()
    requests: tuple[Request, ...] = ()
    differences: tuple[Difference, ...] = ()
    """What the registries hold and the files alone tell otherwise."""


def make_map(
    root: Path, kept: Kept, processes: int | None = None, asked: Asked | None = None, tell: Tell = nobody
) -> Map:
    """The map of the project below a folder, with what its registries said. Raises NoProject."""
    processes = processes or os.cpu_count() or 1

    def make(project: Project, unread: tuple[str, ...]) -> Map:
        couplings, done = _look(project, _Work(processes=processes, tell=tell))
        everything = sorted(couplings, key=_order)
        return Map(
            summary=project.summary(),
            couplings=tuple(found for found in everything if found.source_app != found.target_app),
            inner=tuple(found for found in everything if found.source_app == found.target_app and not found.test),
            unread=unread,
            transactions=tuple(one for one in done if isinstance(one, Transaction)),
            requests=tuple(one for one in done if isinstance(one, Request)),
            differences=project.differences,
        )

    found = from_project(root, kept, b"map", make, processes=processes, asked=asked, tell=tell)
    return replace(found, said=asked.said if asked is not None else ())


def from_project(
    root: Path,
    kept: Kept,
    what: bytes,
    make: Callable[[Project, tuple[str, ...]], R],
    *,
    processes: int | None = None,
    asked: Asked | None = None,
    tell: Tell = nobody,
) -> R:
    """What is made of a project and the sentences on its unread files, by a name; as it was kept, where it is the same.

    Raises NoProject.
    """
    with without_collector():
        tree, contents, pages_read = with_contents(walk(root))
        keys = [key_of(one, module.package.encode()) for module, one in zip(tree.modules, contents, strict=True)]
        places = "\n".join([*(module.path for module in tree.modules), *tree.templates, *tree.left_out]).encode()
        whole = key_of(what, places, *keys, *pages_read, asked.key if asked is not None else b"")
        for _, found in kept.get([whole]):
            return found  # type: ignore[no-any-return]
        work = _Work(processes=processes or os.cpu_count() or 1, tell=tell)
        files, unread = _files(tree, contents, keys, kept, work)
        del contents, pages_read  # from here on the facts are what is large
        made = make(Project.of(tree, files, asked.truth if asked is not None else None), (*tree.left_out, *unread))
        kept.put([(whole, made)])
        return made


def _files(
    tree: Tree, contents: Sequence[bytes], keys: Sequence[bytes], kept: Kept, work: _Work
) -> tuple[list[File], list[str]]:
    """The files that can be read, and a sentence for each other one."""
    known = dict(kept.get(keys))
    missing = [number for number, key in enumerate(keys) if key not in known]
    given = [(contents[number], tree.modules[number].package) for number in missing]
    read_now = work.each("files read", _read, given)
    new = {keys[number]: found for number, found in zip(missing, read_now, strict=True)}
    kept.put_packed(new.items())
    known |= {key: unpacked(found) for key, found in new.items()}
    files, unread = [], []
    for module, key in zip(tree.modules, keys, strict=True):
        facts = known[key]
        if isinstance(facts, Facts):
            files.append(File.of(module, facts))
        else:
            unread.append(f"{module.path} cannot be read ({facts})")
    return files, unread


def _look(project: Project, work: _Work) -> tuple[set[Coupling], list[Transaction | Request]]:
    """(the couplings of all rules, each once; what functions do in one transaction or request)."""

    def of(file: File) -> tuple[list[Coupling], list[Transaction | Request]]:
        return [found for rule in RULES for found in rule(project, file)], list(behaviour.find(project, file))

    seen = work.each("files followed", of, list(project.files()))
    found = set(chain.from_iterable(couplings for couplings, _ in seen))
    found |= set(registered.find(project, found))
    found = found.union(*(rule(project) for rule in WHOLE))
    return found, list(chain.from_iterable(done for _, done in seen))


def _read(given: tuple[bytes, str]) -> bytes:
    """A file's facts, or why there are none; packed here, where several do so at once."""
    try:
        return packed(read(*given))
    except SyntaxError as error:
        return packed(f"line {error.lineno}: {error.msg}" if error.lineno else str(error.msg))
    except (ValueError, RecursionError, MemoryError) as error:  # MemoryError is the parser's own, of deep brackets
        return packed(str(error) or "it is nested too deeply")


_shared: tuple[Callable[[object], object], Sequence[object]] | None = None


@dataclass(frozen=True, kw_only=True)
class _Work:
    """In how many processes something is done of each file, and who is told."""

    processes: int
    tell: Tell

    def each(self, name: str, what: Callable[[T], R], given: Sequence[T]) -> list[R]:
        """The results in order. Other processes inherit all that is there, so that only results pass between them."""
        global _shared  # noqa: PLW0603 - a forked process finds it here; nothing else of a closure would pass
        if len(given) < _FEW or self.processes == 1 or "fork" not in multiprocessing.get_all_start_methods():
            return list(self._told(name, map(what, given), len(given)))
        _shared = (what, given)  # type: ignore[assignment]
        try:
            with multiprocessing.get_context("fork").Pool(self.processes, maxtasksperchild=_TURNS) as pool:
                coming = pool.imap(_one, range(len(given)), chunksize=_AT_ONCE)
                pool.close()
                results = list(self._told(name, coming, len(given)))
                pool.join()  # they end by themselves: to be ended they would have to be listening
                return results  # type: ignore[return-value]
        finally:
            _shared = None

    def _told(self, name: str, results: Iterable[T], count: int) -> Iterator[T]:
        for number, result in enumerate(results, 1):
            yield result
            self.tell(name, number, count)


def _one(number: int) -> object:
    assert _shared is not None
    what, given = _shared
    return what(given[number])


def _order(coupling: Coupling) -> tuple[str, int, str, str, str]:
    return coupling.path, coupling.line, coupling.kind, coupling.target, coupling.detail
