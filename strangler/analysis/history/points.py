"""Maps of earlier commits as points of a report's history. Their files are read from git, not from the work tree."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from strangler.analysis.history.drift import Point, point
from strangler.analysis.history.earlier import files_at
from strangler.analysis.history.git import NoHistory, Repository
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.tree import NoProject

_SECONDS = 60.0


def commits_before(repository: Repository, count: int, since: str | None) -> list[tuple[str, str]]:
    """(commit, when) of so many commits before HEAD, of those that changed the project, the oldest first.

    From "since" on they are evenly spread, with that one as the first; without it they are the last ones.
    Raises NoHistory.
    """
    arguments = ["--first-parent", "--format=%H %ct"]
    if since is not None:
        first = repository.commit(since)
        text, why = repository.log(*arguments, f"{first}..HEAD", seconds=_SECONDS)
        oldest, _ = repository.log("--max-count=1", *arguments, first, seconds=_SECONDS)
        text += oldest
    else:
        text, why = repository.log(*arguments, f"--max-count={count + 1}", "HEAD", seconds=_SECONDS)
    if why and not text:
        raise NoHistory(f"the history of {repository.folder} cannot be read ({why})")
    found = [(commit, when(int(second))) for commit, second in map(str.split, reversed(text.splitlines()))]
    return spread(found[:-1], count)


def spread(found: list[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    """So many of these, the first one with them, the others as evenly as it goes."""
    if len(found) <= count:
        return found
    return [found[number * len(found) // count] for number in range(count)]


def points(repository: Repository, commits: list[tuple[str, str]], kept: Kept) -> Iterator[Point | str]:
    """The point of each commit, or why it has none, as a sentence."""
    for commit, moment in commits:
        with files_at(repository, commit) as root:
            try:
                yield point(make_map(root, kept), moment, commit[:7])
            except NoProject:
                yield f"{commit[:7]} has no Python files here"


def joined(carried: list[Point], earlier: list[Point]) -> list[Point]:
    """A history with more points in it, by their time; what it has of the same commits stays."""
    known = {one.commit[:7] for one in carried}
    return sorted([*carried, *(one for one in earlier if one.commit not in known)], key=lambda one: one.when)


def when(second: int) -> str:
    """A moment as reports write it."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M UTC")
