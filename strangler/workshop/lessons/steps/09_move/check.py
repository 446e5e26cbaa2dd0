"""Step 9: did the tables move while people wrote, and is everything there that they were told is?"""

from __future__ import annotations

from collections.abc import Iterator

from strangler.workshop.checker import check as compare
from strangler.workshop.journal import Entry, Outcome, read
from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.orchard import Standing, runs, standing
from strangler.workshop.lessons.record import COPY, SWITCH, Event, events

POSITION = "zero"
_JOURNAL = ".run/orchard/journal.jsonl"
_WRITES = 20
_SHOWN = 3


def check(bench: Bench) -> list[Finding]:
    """The shoppers' journal, held against the record and the databases."""
    path = bench.home / _JOURNAL
    if not path.exists():
        return [
            Finding(
                what="nobody has shopped: there is no journal", where=f'the shoppers in the text, into "{_JOURNAL}"'
            )
        ]
    if runs(bench, "shoppers"):
        # What is answered at this moment is in no journal yet.
        return [
            Finding(what="people still shop", where='"python -m strangler.workshop stop shoppers", and check again')
        ]
    now = standing(bench)
    if isinstance(now, Finding):
        return [now]
    entries, environment = list(read(path)), bench.instance.environment()
    if now.owner != "reviews":
        return judge(entries, events(bench), now, [])
    found = compare(entries, environment["STRANGLER_SOURCE_DSN"], environment["STRANGLER_REVIEWS_DSN"])
    return judge(entries, events(bench), now, list(map(str, found.all)))


def judge(entries: list[Entry], seen: list[Event], now: Standing, amiss: list[str]) -> list[Finding]:
    """The same, decided purely. "amiss" is what the journal and the databases say of each other."""
    if now.applied <= SWITCH or now.owner != "reviews":
        return [Finding(what="the service does not own the reviews yet", where='"python manage.py applyplan 0001 7"')]
    return [*_together(entries, seen), *_kept(entries, amiss)]


def _together(entries: list[Entry], seen: list[Event]) -> Iterator[Finding]:
    writes = [entry.at for entry in entries if entry.kind and entry.outcome is Outcome.ACKNOWLEDGED]
    for index, what in ((COPY, "were copied"), (SWITCH, "changed hands")):
        times = [event.at for event in seen if event.index == index and event.forwards]
        during = sum(min(times) <= at <= max(times) for at in writes)
        if not during:
            text = f"nobody wrote while the tables {what}: that shows nothing"
            yield Finding(
                what=text, where='"strangler workshop reset", then the shoppers first, and the plan beside them'
            )
    if len(writes) < _WRITES:
        text = f"only {len(writes)} writes were acknowledged"
        yield Finding(what=text, where="let the shoppers go on for longer, before, during and behind the move")


def _kept(entries: list[Entry], amiss: list[str]) -> Iterator[Finding]:
    failed = [entry for entry in entries if entry.outcome is Outcome.FAILED]
    if failed:
        text = f"{len(failed)} requests failed, the first: {failed[0].what}, {failed[0].status or 'no answer'}"
        yield Finding(
            what=text, where=f"that line in {_JOURNAL}; were the shoppers still there when Orchard was stopped?"
        )
    for one in amiss[:_SHOWN]:
        yield Finding(what=one, where=f"{_JOURNAL} and the service's database: somebody wrote past the proxy")
