"""From what somebody asks about, a range of commits, files, or what lies in the work tree, to what it can reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from strangler.analysis.history.apps import AppOf
from strangler.analysis.history.commits import History, Together, of_these, read_history, together
from strangler.analysis.history.earlier import files_at
from strangler.analysis.history.git import NoHistory, Repository, find_repository
from strangler.analysis.kept import Kept
from strangler.analysis.owners import Owners, read_owners
from strangler.analysis.reach.blasting import Blast, blast
from strangler.analysis.reach.building import State, read_state
from strangler.analysis.reach.changing import Changes, changed, named, routes_differing
from strangler.analysis.telling import Tell, nobody
from strangler.errors import StranglerError

_LINES = re.compile(r"(.+?):(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)")
_RANGE = re.compile(r"(?P<before>.*?)(?P<dots>\.{2,3})(?P<after>.*)", re.DOTALL)


class BadQuestion(StranglerError):
    """What is asked about is nothing that there is."""


@dataclass(frozen=True, kw_only=True)
class Companions:
    """What is changed together with what a change touches, by the history before it."""

    commits: int
    apps: tuple[Together, ...]
    owners: tuple[Together, ...]
    missing: tuple[Together, ...]
    """Files of the change with others that are not in it."""
    sentences: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is asked about, what it reaches, and what is usually changed with it."""

    asked: str
    files: tuple[str, ...]
    blast: Blast
    companions: Companions


def ask(root: Path, about: Sequence[str], kept: Kept, tell: Tell = nobody) -> Answer:
    """What these can reach: one range of commits, or files with lines perhaps; nothing is the work tree since HEAD.

    Raises BadQuestion, NoHistory and NoProject.
    """
    with ExitStack() as stack:
        question = _Question(root, kept, stack, tell)
        ranges = [_RANGE.fullmatch(each) for each in about if not _exists(root, each)]
        if not about:
            return question.of_range("what is not committed", "HEAD", None)
        if len(about) == 1 and ranges and ranges[0] is not None:
            before, after = (ranges[0][name] or "HEAD" for name in ("before", "after"))
            return question.of_range(about[0], before, after, meeting=ranges[0]["dots"] == "...")
        if any(ranges):
            raise BadQuestion("name one range of commits, or files; not both")
        return question.of_files(about)


class _Question:
    """The states that an answer needs, each read once."""

    def __init__(self, root: Path, kept: Kept, stack: ExitStack, tell: Tell) -> None:
        self._root, self._kept, self._stack, self._tell = root, kept, stack, tell

    @cached_property
    def _repository(self) -> Repository:
        return find_repository(self._root)

    def of_range(self, asked: str, before: str, after: str | None, *, meeting: bool = False) -> Answer:
        repository = self._repository
        first, last = repository.commit(before), repository.commit(after) if after is not None else None
        if meeting and last is not None:
            first = repository.meeting(first, last)
        changes = repository.changes(first, last)
        states: dict[str, State] = {}

        def earlier() -> State:
            if first not in states:
                states[first] = self._at(first)
            return states[first]

        now = read_state(self._root, self._kept, self._tell) if last is None else self._at(last)
        made = changed(
            changes,
            now,
            earlier,
            new=lambda path: _read(self._root, path) if last is None else repository.content(last, path),
            old=lambda path: repository.content(first, path),
        )
        if made.routes:
            routes_differing(made, now, earlier())
        return self._answer(asked, made, now, earlier, first)

    def of_files(self, about: Sequence[str]) -> Answer:
        now = read_state(self._root, self._kept, self._tell)
        paths = dict(_path_of(self._root, each) for each in about)
        made = named(paths, now, self._root)
        return self._answer(" ".join(about), made, now, lambda: now, "HEAD")

    def _at(self, commit: str) -> State:
        return read_state(self._stack.enter_context(files_at(self._repository, commit)), self._kept, self._tell)

    def _answer(self, asked: str, made: Changes, now: State, before: Callable[[], State], end: str) -> Answer:
        owners = read_owners(self._root)
        found = blast(made, now, before, owners)
        try:
            history = read_history(self._repository, end)
        except NoHistory as error:
            history = History(commits=(), sentences=(str(error),))
        return Answer(
            asked=asked, files=tuple(made.files), blast=found, companions=_companions(history, made.files, now, owners)
        )


def _companions(history: History, files: Sequence[str], now: State, owners: Owners) -> Companions:
    app_of = AppOf({path: now.apps[module] for path, module in now.modules.items()})
    owned: dict[str, str] = {}

    def owner_of(path: str) -> str:
        return owned.setdefault(path, owners.of(path))

    by_file = of_these(together(history.commits, str), files)
    return Companions(
        commits=len(history.commits),
        apps=tuple(of_these(together(history.commits, app_of), map(app_of, files))),
        owners=tuple(of_these(together(history.commits, owner_of), map(owner_of, files))),
        missing=tuple(pair for pair in by_file if not {pair.one, pair.other} <= set(files)),
        sentences=history.sentences,
    )


def _exists(root: Path, about: str) -> bool:
    return bool(about) and any((base / about).exists() for base in (Path.cwd(), root))


def _path_of(root: Path, about: str) -> tuple[str, list[int]]:
    """The path below the root, and the lines; none is all of them. Raises BadQuestion."""
    lines: list[int] = []
    name = about
    if not _exists(root, about) and (match := _LINES.fullmatch(about)) is not None:
        name = match[1]
        for part in match[2].split(","):
            first, _, last = part.partition("-")
            if int(last or first) - int(first) > 1_000_000:
                raise BadQuestion(f'"{about}" names more lines than a file has')
            lines += range(int(first), int(last or first) + 1)
    for base in (Path.cwd(), root):
        path = (base / name).resolve()
        if path.is_file() and path.is_relative_to(root):
            return path.relative_to(root).as_posix(), lines
    if _exists(root, name):
        raise BadQuestion(f'"{name}" is no file below "{root}"; name files of that project (--project)')
    raise BadQuestion(f'"{name}" is no file below "{root}" and no range of commits (REF..REF)')


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise BadQuestion(f'"{path}" is changed and cannot be read ({error.strerror})') from error
