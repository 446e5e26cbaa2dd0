"""What a change reaches, in text and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from strangler.analysis.history.commits import Together
from strangler.analysis.reach.asking import Answer
from strangler.analysis.reach.blasting import Blast, Found, Table, in_kind
from strangler.analysis.reach.usage import KINDS

_MOST = 20
_PLURALS = {"receiver": "receivers", "admin": "admin pages"}


def as_text(answer: Answer) -> Iterator[str]:
    """For people: what is changed, what it reaches, the nearest first, and what is usually changed with it."""
    found = answer.blast
    whose = f" of {', '.join(found.owners)}" if found.owners else ""
    yield f"{answer.asked}: {len(found.touched)} definitions in {len(answer.files)} files{whose}"
    yield from _some([f"  {touched}" for touched in found.touched])
    counts = Counter(one.kind for one in found.entries)
    yield "reach " + ", ".join(f"{counts[kind]} {_plural(kind)}" for kind in KINDS)
    for kind in KINDS:
        if entries := in_kind(found.entries, kind):
            yield f"\n{_plural(kind)}, by steps"
            yield from _some([_entry(one) for one in entries], " (--tests: all of them)" if kind == "test" else "")
    yield from _tables(found)
    if not all(one.sure for one in found.entries) or not all(one.sure for one in found.tables):
        yield "\n~ by a method's name alone, or by a convention"
    whose = ", ".join(f"{owner} {n}" for owner, n in _owners(found))
    if whose:
        yield f"\nowners of what is reached: {whose}"
    if found.unused:
        yield "\nnobody is seen to use"
        yield from _some([f"  {node}" for node in found.unused])
    if found.blind:
        yield "\nwhere names are computed, nobody sees who is meant"
        yield from _some([f"  {one}" for one in found.blind])
    yield from _companions(answer)
    if found.sentences:
        yield "\nnot followed"
        yield from _some([f"  {sentence}" for sentence in found.sentences])


def tests(answer: Answer) -> list[str]:
    """The tests to run, as pytest calls them, the nearest first."""
    return [one.name for one in in_kind(answer.blast.entries, "test") if not one.gone]


def as_json(answer: Answer) -> dict[str, Any]:
    """All of it."""
    companions = answer.companions
    return {
        "asked": answer.asked,
        "files": list(answer.files),
        **asdict(answer.blast),
        "together": {
            "commits": companions.commits,
            **{
                name: [_pair(pair) for pair in pairs]
                for name, pairs in (
                    ("apps", companions.apps),
                    ("owners", companions.owners),
                    ("missing", companions.missing),
                )
            },
            "sentences": list(companions.sentences),
        },
    }


def _pair(pair: Together) -> dict[str, Any]:
    return {**asdict(pair), "confidence": round(pair.confidence, 3), "lift": round(pair.lift, 2)}


def _entry(one: Found) -> str:
    whose = f"  [{one.owners}]" if one.owners else ""
    gone = " (gone)" if one.gone else ""
    steps = one.way if len(one.way) <= 4 else (*one.way[:2], "…", *one.way[-1:])
    by = f"  {' <- '.join(steps)}" if one.kind != "test" else f"  {one.way[-1] if len(one.way) > 1 else ''}"
    return f"  {'' if one.sure else '~'}{one.steps}  {one.name}{gone}{whose}{by}".rstrip()


def _tables(found: Blast) -> Iterator[str]:
    if found.tables:
        yield "\ntables that it uses, by steps"
        yield from _some([_table(table) for table in found.tables])


def _table(table: Table) -> str:
    touch = table.touch
    whose = f"  [{table.owners}]" if table.owners else ""
    return f"  {'' if table.sure else '~'}{table.steps}  {touch.does} {touch.table}{whose}  {touch.path}:{touch.line}"


def _companions(answer: Answer) -> Iterator[str]:
    companions = answer.companions
    groups = (("apps", companions.apps), ("owners", companions.owners))
    for name, pairs in groups:
        if pairs:
            yield f"\n{name} that are changed together, more than by chance, in {companions.commits:,} commits"
            yield from _some([f"  {pair}" for pair in pairs], most=5)
    if companions.missing:
        yield "\nfiles that are changed together, and are not in this change"
        yield from _some([f"  {pair}" for pair in companions.missing], most=5)
    yield from (f"history: {sentence}" for sentence in companions.sentences)


def _owners(found: Blast) -> list[tuple[str, int]]:
    return Counter(one.owners for one in found.entries if one.owners and one.kind != "test").most_common()


def _some(lines: Sequence[str], more: str = "", most: int = _MOST) -> Iterator[str]:
    yield from lines[:most]
    if len(lines) > most:
        yield f"  and {len(lines) - most:,} more{more}"


def _plural(kind: str) -> str:
    return _PLURALS.get(kind, f"{kind}s")
