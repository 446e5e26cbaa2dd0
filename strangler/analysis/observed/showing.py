"""What was observed, in text and as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from strangler.analysis.coupling import Coupling
from strangler.analysis.observed.beside import Crossing
from strangler.analysis.observed.picture import OFTEN, Held, Picture, Touch, times
from strangler.analysis.observed.trace import Entry, Fired

_SHOWN = 15
_WIDTH = 150


def as_text(picture: Picture, unseen: Sequence[Coupling] | None = None) -> Iterator[str]:
    """What a cut would meet, the heaviest first; "unseen" where there is a map that lacks them."""
    trace = picture.trace
    yield head(picture)
    yield from (f"partial: {sentence}" for sentence in notes(picture))
    for title, lines in (
        ("transactions that write in several apps:", list(_transactions(picture))),
        (
            f"one line, one statement, {OFTEN} times and more in one request, on another app's table:",
            list(_chatty(picture)),
        ),
        ("over apps' borders, from code to tables:", list(_pairs(picture.across))),
        ("signals that another app hears:", list(_signals(picture.signals()))),
        ("calls to other servers:", list(_calls(trace.entries.values()))),
        ("tasks handed over:", list(_tasks(trace.entries.values()))),
        ("who touches most apps' tables:", list(_entries(picture))),
    ):
        yield ""
        yield f"{title} {'' if lines else 'none'}".rstrip()
        yield from (f"  {line}" for line in lines)
    if unseen is not None:
        yield ""
        yield f"what the map does not have:{'' if unseen else ' nothing'}"
        yield from (f"  {one}" for one in _first(map(str, unseen)))


def as_lines(picture: Picture) -> Iterator[str]:
    """Each line of the project that touches another app's table, in each entry."""
    ordered = sorted(
        picture.across,
        key=lambda one: (not one.site.line, one.site.path, one.site.line, one.label, one.verb, one.entry.name),
    )
    for one in ordered:
        yield (f"{one.site}: {one.app} {one.verb} {one.label} in {one.entry.name}, {_often(one)}, {_rows(one)}")


def crossing_as_text(crossing: Crossing) -> Iterator[str]:
    """What passes a seam's border, within the text of the seam."""
    yield f"  observed: {crossing.entries} routes and tasks wrote on both sides in one transaction"
    for held in crossing.transactions[:_SHOWN]:
        yield f"    {_named(held.entry)} ({held.times:,}): {', '.join(sorted(held.written))}"
    yield f"  observed: {len(crossing.asks)} routes and tasks send statements over the border, the worst:"
    for one in crossing.asks[:_SHOWN]:
        size = f", about {_bytes(one.bytes)}" if one.bytes else ""
        yield f"    {_named(one.entry)}: {one.statements:.1f} a request, {one.rows:.1f} rows{size}"


def head(picture: Picture) -> str:
    """How much was observed."""
    trace = picture.trace
    parts = []
    for kind, units, many in (("route", "requests", "routes"), ("task", "runs", "tasks"), ("test", "runs", "tests")):
        entries = list(trace.of_kind(kind))
        if entries:
            parts.append(f"{sum(entry.units for entry in entries):,} {units} of {len(entries):,} {many}")
    shares = sorted(trace.shares - {1.0})
    sampled = f"; {' and '.join(f'{share:.0%}' for share in shares)} of all were looked at" if shares else ""
    when = f", {min(trace.moments)} to {max(trace.moments)}" if trace.moments else ""
    return f"{', '.join(parts) or 'nothing was observed'}; {trace.files:,} files{when}{sampled}"


def notes(picture: Picture) -> Iterator[str]:
    """What is missing."""
    yield from picture.trace.complaints
    if picture.trace.left_out:
        yield f"{picture.trace.left_out:,} things had no room in a process's sums and were left out"
    if unknown := sorted(picture.unknown()):
        more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
        yield f"no model is known for {', '.join(unknown[:5])}{more}"


def _transactions(picture: Picture) -> Iterator[str]:
    for apps, several in picture.spanning().items():
        yield f"{', '.join(apps)}: {times(sum(held.times for held in several))}"
        by_entry: dict[str, list[Held]] = {}
        for held in several:
            by_entry.setdefault(_named(held.entry), []).append(held)
        ranked = sorted(
            by_entry.items(), key=lambda one: (_is_test(one[1]), -sum(held.times for held in one[1]), one[0])
        )
        for name, of_entry in ranked[:5]:
            written = sorted(frozenset().union(*(held.written for held in of_entry)))
            locked = sorted(frozenset().union(*(held.locked for held in of_entry)))
            locks = f"; locks {', '.join(locked)}" if locked else ""
            yield f"    {name} ({sum(held.times for held in of_entry):,}): {', '.join(written)}{locks}"
        if len(ranked) > 5:
            yield f"    and {len(ranked) - 5} more"


def _chatty(picture: Picture) -> Iterator[str]:
    yield from _first(
        f"{one.entry.name}: {one.app} {one.verb} {one.label} {one.average:.1f} times, at most {one.most}, "
        f"at {one.site}\n"
        f"      {_cut(one.shape.text)}"
        for one in picture.chatty
    )


def _pairs(touches: Iterable[Touch]) -> Iterator[str]:
    pairs: dict[tuple[str, str], list[Touch]] = {}
    for one in touches:
        pairs.setdefault((one.app, one.owner), []).append(one)
    ranked = sorted(pairs.items(), key=lambda pair: (-sum(one.times for one in pair[1]), pair[0]))
    yield from _first(f"{source} -> {target}: {_summed(between)}" for (source, target), between in ranked)


def _summed(between: list[Touch]) -> str:
    verbs: Counter[str] = Counter()
    for one in between:
        verbs[one.verb] += one.times
    counts = ", ".join(f"{verb} {verbs[verb]:,}" for verb in ("reads", "writes", "locks") if verbs[verb])
    rows, unknown = sum(one.rows for one in between), sum(one.unknown for one in between)
    sized = [one.bytes for one in between if one.bytes is not None]
    size = f", about {_bytes(sum(sized))} read" if sized else ""
    models = sorted({one.label for one in between})
    lines = len({(one.site.path, one.site.line) for one in between})
    not_told = f" ({unknown:,} times not told)" if unknown else ""
    return f"{counts}; {rows:,} rows{not_told}{size}; {', '.join(models)}; {lines} {'line' if lines == 1 else 'lines'}"


def _signals(signals: Counter[Fired]) -> Iterator[str]:
    yield from _first(
        f"{fired.signal.rpartition('.')[2]} of {fired.sender or 'anybody'} -> "
        f"{', '.join(f'{name} ({app})' for name, app in fired.receivers)}: {times(many)}"
        for fired, many in sorted(signals.items(), key=lambda one: (-one[1], one[0].signal, one[0].sender))
    )


def _calls(entries: Iterable[Entry]) -> Iterator[str]:
    often: Counter[tuple[bool, str]] = Counter()
    servers: dict[tuple[bool, str], set[str]] = {}
    who: dict[tuple[bool, str], set[str]] = {}
    for entry in entries:
        for (where, site, within), many in entry.calls.items():
            key = (not within, str(site))
            often[key] += many
            servers.setdefault(key, set()).add(where)
            who.setdefault(key, set()).add(entry.name)
    yield from _first(
        f"{site}: {times(many)}{'' if outside else ' within a transaction'}, to {_several(servers[outside, site])}, "
        f"by {_several(who[outside, site])}"
        for (outside, site), many in sorted(often.items(), key=lambda one: (one[0][0], -one[1], one[0]))
    )


def _tasks(entries: Iterable[Entry]) -> Iterator[str]:
    found: Counter[str] = Counter()
    who: dict[str, set[str]] = {}
    for entry in entries:
        for (name, _), many in entry.tasks.items():
            found[name] += many
            who.setdefault(name, set()).add(entry.name)
    yield from _first(
        f"{name}: {times(many)}, by {_several(who[name])}"
        for name, many in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    )


def _entries(picture: Picture) -> Iterator[str]:
    by_entry: dict[int, dict[str, set[str]]] = {}
    for one in picture.touches:
        if one.entry.kind != "test" and one.owner in picture.apps:
            verb = "reads" if one.verb == "reads" else "writes"
            by_entry.setdefault(id(one.entry), {}).setdefault(verb, set()).add(one.owner)
    entries = {id(entry): entry for entry in picture.trace.entries.values()}
    ranked = sorted(
        by_entry.items(),
        key=lambda one: (-len(set().union(*one[1].values())), -len(one[1].get("writes", ())), entries[one[0]].name),
    )
    yield from _first(
        f"{_named(entries[key])}, {entries[key].units:,}: "
        + "; ".join(f"{verb} {', '.join(sorted(verbs[verb]))}" for verb in ("writes", "reads") if verbs.get(verb))
        for key, verbs in ranked
    )


def _named(entry: Entry) -> str:
    return entry.name if entry.kind == "route" else f"{entry.kind} {entry.name}"


def _often(one: Touch) -> str:
    return f"{times(one.times)} in {one.units:,}" + (f", at most {one.most} in one" if one.most > 1 else "")


def _rows(one: Touch) -> str:
    if one.unknown == one.times:
        return "rows not told"
    return f"{one.rows:,} rows" + (f" of about {one.bytes / one.rows:,.0f} bytes" if one.bytes and one.rows else "")


def _bytes(size: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}"
        size /= 1024
    return f"{size:,.1f} GiB"


def _is_test(several: list[Held]) -> bool:
    return several[0].entry.kind == "test"


def _several(names: set[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(sorted(names)[:3])}{more}"


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH // 3]} ... {text[-2 * _WIDTH // 3 :]}"


def _first(lines: Iterable[str]) -> Iterator[str]:
    every = list(lines)
    yield from every[:_SHOWN]
    if len(every) > _SHOWN:
        yield f"and {len(every) - _SHOWN} more; --json has them all"
