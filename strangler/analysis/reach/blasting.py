"""What a change can reach, and whose that is. Decides nothing about how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from strangler.analysis.owners import Owners
from strangler.analysis.reach.building import State
from strangler.analysis.reach.changing import Changes, Touched
from strangler.analysis.reach.usage import Blind, Entry, Touch
from strangler.analysis.reach.walking import Reached, Walk, way


@dataclass(frozen=True, kw_only=True)
class Found:
    """An entry that the change reaches."""

    kind: str
    name: str
    path: str
    line: int
    owners: str
    app: str
    steps: int
    """From the definition that it begins with to one that is changed."""
    sure: bool
    """Whether no step goes by a method's name alone, or by a convention."""
    way: tuple[str, ...]
    gone: bool = False
    """Whether only the earlier state had it."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that what is changed reads, writes or migrates, itself or by what it uses."""

    touch: Touch
    steps: int
    sure: bool
    owners: str


@dataclass(frozen=True, kw_only=True)
class Blast:
    """All that a change can reach, the nearest first."""

    touched: tuple[Touched, ...]
    entries: tuple[Found, ...]
    tables: tuple[Table, ...]
    owners: tuple[str, ...]
    """Those of the changed files."""
    unused: tuple[str, ...]
    """What is changed and used by nobody, as far as is seen."""
    blind: tuple[Blind, ...]
    """Computed names in the apps of what is changed, and on the ways to it."""
    sentences: tuple[str, ...]
    """What was not followed or could not be read."""


def blast(made: Changes, now: State, before: Callable[[], State], owners: Owners) -> Blast:
    """What the change reaches. The earlier state is asked for where something of it is gone."""
    walk = Walk(usage=now.usage)
    reached = walk.back(made.now)
    entries = list(_found(walk, reached, now, owners))
    tables = walk.tables(made.now)
    if made.before:
        earlier = Walk(usage=before().usage)
        back = earlier.back(made.before)
        known = {(one.kind, one.name): one for one in entries}
        exists = {(entry.kind, entry.name) for entry in now.usage.entries}
        for one in _found(earlier, back, before(), owners):
            key = (one.kind, one.name)
            if key not in known or _order(one) < _order(known[key]):
                known[key] = replace(one, gone=key not in exists)
        entries = sorted(known.values(), key=_order)
        seen = {(touch.table, touch.does) for touch, _ in tables}
        tables += [one for one in earlier.tables(made.before) if (one[0].table, one[0].does) not in seen]
    migrated = [(touch, Reached(node="", steps=0, sure=True, via="")) for touch in sorted(made.migrated)]
    return Blast(
        touched=tuple(sorted(made.touched)),
        entries=tuple(entries),
        tables=tuple(
            Table(touch=touch, steps=at.steps, sure=at.sure, owners=_owners_of_table(now, owners, touch))
            for touch, at in (*migrated, *tables)
        ),
        owners=tuple(sorted({owner for path in made.files if (owner := owners.of(path))})),
        unused=tuple(sorted(_unused(made, walk))),
        blind=tuple(_blind(made, now, reached)),
        sentences=tuple(dict.fromkeys((*owners.left_out, *now.unread, *made.left_out))),
    )


def _found(walk: Walk, reached: dict[str, Reached], state: State, owners: Owners) -> Iterator[Found]:
    for entry, at in walk.entries(reached):
        yield Found(
            kind=entry.kind,
            name=entry.name,
            path=entry.path,
            line=entry.line,
            owners=owners.of(_home(state, entry)),
            app=state.apps.get(state.modules.get(_home(state, entry), ""), ""),
            steps=at.steps,
            sure=at.sure,
            way=tuple(way(reached, entry.node)[1:]),
        )


def _home(state: State, entry: Entry) -> str:
    """The path of what an entry begins with: a route is its view's owners', not those of the file with the routes."""
    return state.usage.places.get(entry.starts, (entry.path, 0))[0]


def _owners_of_table(state: State, owners: Owners, touch: Touch) -> str:
    declared = next((one for one in state.usage.tables.values() if one.table == touch.table), None)
    return owners.of(declared.path) if declared is not None else ""


def _unused(made: Changes, walk: Walk) -> Iterator[str]:
    for node in made.now:
        starts = node.startswith(("route ", "admin ", "test ")) or node.rpartition(".")[2] in (
            "urlpatterns",
            "app_name",
        )
        if not starts and not walk.is_used(node):
            yield node


def _blind(made: Changes, state: State, reached: dict[str, Reached]) -> Iterator[Blind]:
    apps = {state.apps.get(state.modules.get(path, ""), "") for path in made.files} - {""}
    for one in sorted(state.usage.blind):
        if one.node in reached or state.apps.get(state.modules.get(one.path, ""), "") in apps:
            yield one


def _order(found: Found) -> tuple[bool, int, str]:
    return (not found.sure, found.steps, found.name)


def in_kind(found: Sequence[Found], kind: str) -> list[Found]:
    """Those of a kind, in their order."""
    return [one for one in found if one.kind == kind]
