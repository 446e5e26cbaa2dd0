"""What was changed: from files that differ to the definitions and templates in them, by the nodes of their states."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from strangler.analysis.history.git import LINK, SUBMODULE, Change
from strangler.analysis.reach.building import State
from strangler.analysis.reach.defining import REST, Definition, at_lines, definitions, differing
from strangler.analysis.reach.usage import Touch, template
from strangler.analysis.tree import LARGEST

_MIGRATED = re.compile(rb"(?:model_name|(?:Create|Delete)Model\(\s*name)\s*=\s*[\"'](\w+)")


@dataclass(frozen=True, kw_only=True, order=True)
class Touched:
    """A definition or template that is changed, at its place: where it is now, or where it was."""

    path: str
    line: int
    node: str
    how: str
    """ "changed", "added", "removed", or "named" by whoever asks."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.node} ({self.how})"


@dataclass(kw_only=True)
class Changes:
    """All of a change. "now" are nodes of the later state, "before" those that are gone, of the earlier one."""

    files: list[str] = field(default_factory=list)
    touched: set[Touched] = field(default_factory=set)
    now: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)
    migrated: set[Touch] = field(default_factory=set)
    routes: bool = False
    """Whether a file that makes routes is among the changed ones."""
    left_out: list[str] = field(default_factory=list)
    """Sentences on what is not followed."""


Contents = Callable[[str], bytes]
"""The content of a file by its path."""


def changed(
    changes: Iterable[Change], now: State, before: Callable[[], State], *, new: Contents, old: Contents
) -> Changes:
    """What differs between two states. The earlier one is only asked for where something of it is gone."""
    made = Changes()
    for change in changes:
        path = change.path or change.before
        made.files.append(path)
        made.routes |= any(entry.kind == "route" and entry.path == path for entry in now.usage.entries)
        made.routes |= path.endswith("urls.py")
        if change.mode == SUBMODULE:
            made.left_out.append(f"{change} is a submodule: ask there")
        elif change.mode == LINK:
            made.left_out.append(f"{change} is a symbolic link, which is not followed")
        elif path.endswith(".py"):
            _python(made, change, now, before, new=new, old=old)
        elif change.path in now.templates:
            _add(made, now, template(now.templates[path]), "changed" if change.before else "added")
            if change.before not in ("", path):
                _gone_template(made, change.before, before())
        elif not change.path and change.before in before().templates:
            _gone_template(made, change.before, before())
        else:
            made.left_out.append(f"{change} is no Python and no template of the project")
    return made


def named(paths: Mapping[str, Sequence[int]], now: State, root: Path) -> Changes:
    """What these files, or these lines of them, hold."""
    made = Changes(files=list(paths))
    for path, lines in paths.items():
        if path in now.templates:
            _add(made, now, template(now.templates[path]), "named")
            continue
        if path not in now.modules:
            made.left_out.append(_outside(path, now))
            continue
        content = (root / path).read_bytes()
        found = _definitions(made, path, content) or {}
        _migration(made, path, content, now)
        for name in at_lines(found, lines) if lines else sorted(found):
            _name(made, now, path, name, how="named", found=found)
        made.now.update(
            entry.node
            for entry in now.usage.entries
            if entry.kind == "route" and entry.path == path and (not lines or entry.line in lines)
        )
    return made


def _outside(path: str, state: State) -> str:
    unread = next((sentence for sentence in state.unread if sentence.startswith(f"{path} ")), None)
    return unread or f"{path} is no Python and no template of the project"


def routes_differing(made: Changes, now: State, before: State) -> None:
    """Add the routes that one of the states alone has: a line in one module of routes may change those of many."""
    here, there = _routes(now), _routes(before)
    made.now.update(node for identity, node in here.items() if identity not in there)
    made.before.update(node for identity, node in there.items() if identity not in here)


def _routes(state: State) -> dict[tuple[str, str], str]:
    return {(entry.name, entry.starts): entry.node for entry in state.usage.entries if entry.kind == "route"}


def _python(
    made: Changes, change: Change, now: State, before: Callable[[], State], *, new: Contents, old: Contents
) -> None:
    content = new(change.path) if change.path else b""
    later = _definitions(made, change.path, content)
    earlier = _definitions(made, change.before, old(change.before)) if change.before else {}
    if later is None or earlier is None:
        return
    _migration(made, change.path, content, now)
    moved = bool(change.before) and change.path != change.before
    for name in sorted(earlier) if moved else ():  # whoever uses it has to follow its name
        _gone(made, before(), change.before, name, earlier)
    for name, how in differing(earlier, later):
        if how != "removed":
            _name(made, now, change.path, name, how=how, found=later)
        elif not moved:
            _gone(made, before(), change.before, name, earlier)


def _name(made: Changes, state: State, path: str, name: str, *, how: str, found: Mapping[str, Definition]) -> None:
    module = state.modules.get(path, "")
    for each in _meant(name, found) if module else ():
        _add(made, state, f"{module}.{each}", how, found[each].lines[0][0])


def _gone(made: Changes, state: State, path: str, name: str, found: Mapping[str, Definition]) -> None:
    module = state.modules.get(path, "")
    for each in _meant(name, found) if module else ():
        node = f"{module}.{each}"
        made.before.add(node)
        made.touched.add(Touched(path=path, line=found[each].lines[0][0], node=node, how="removed"))


def _gone_template(made: Changes, path: str, state: State) -> None:
    if path in state.templates:
        node = template(state.templates[path])
        made.before.add(node)
        made.touched.add(Touched(path=path, line=1, node=node, how="removed"))


def _meant(name: str, found: Mapping[str, Definition]) -> Iterator[str]:
    """An imported name stands for all that mentions it, and what a module does without a name for all of the module."""
    if name in (REST, "*"):
        yield from (each for each, one in found.items() if each not in (REST, "*") and not one.imported)
    elif found[name].imported:
        yield from (each for each, one in found.items() if name in one.names and each != REST)
    else:
        yield name


def _add(made: Changes, state: State, node: str, how: str, line: int = 1) -> None:
    if node in state.usage.places:
        made.now.add(node)
        made.touched.add(Touched(path=state.usage.places[node][0], line=line, node=node, how=how))


def _definitions(made: Changes, path: str, content: bytes) -> Mapping[str, Definition] | None:
    if len(content) > LARGEST:
        made.left_out.append(f"{path} has {len(content) >> 20} MB and was left out as generated")
        return None
    try:
        return definitions(content)
    except (SyntaxError, ValueError, RecursionError) as error:
        made.left_out.append(f"{path} cannot be read ({error})")
        return None


def _migration(made: Changes, path: str, content: bytes, state: State) -> None:
    """A migration reaches the tables of the models that it names; nothing calls it."""
    if "migrations" not in path.split("/")[:-1]:
        return
    package = path.rpartition("/migrations/")[0]
    apps = {state.apps[module] for at, module in state.modules.items() if at.startswith(f"{package}/")}
    names = {name.decode().lower() for name in _MIGRATED.findall(content)}
    for touch in state.usage.tables.values():
        app, _, model = touch.label.lower().rpartition(".")
        if model in names and app in {label.lower() for label in apps}:
            made.migrated.add(Touch(table=touch.table, label=touch.label, does="migrates", path=path, line=1))
