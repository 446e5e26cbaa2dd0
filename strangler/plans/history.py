"""The story that a record tells: run after run, with what was copied and how long writes had to wait. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from strangler.plans.standing import BACKWARDS, Entry, Event


@dataclass(frozen=True, kw_only=True)
class Step:
    """Something that happened in a run, so many seconds after its beginning."""

    after: float
    what: str


@dataclass(frozen=True, kw_only=True)
class Copied:
    """How far the copy of one table came."""

    table: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """One operation, run once in one direction."""

    number: int
    operation: str
    backwards: bool
    who: str
    started: datetime
    ended: datetime
    outcome: str = "not finished"
    """"done", "failed" or "not finished"."""
    error: str = ""
    steps: tuple[Step, ...] = ()
    copied: tuple[Copied, ...] = ()
    pause_ms: float | None = None
    """How long nobody took writes, where ownership changed."""

    @property
    def seconds(self) -> float:
        return (self.ended - self.started).total_seconds()

    @property
    def rows(self) -> int:
        return sum(copied.rows for copied in self.copied)

    def then(self, entry: Entry) -> Run:
        """The run with one more event."""
        at = _time(entry)
        # A repair is told of where it came, but is no part of the run.
        run = self if entry.event == Event.REPAIR else replace(self, ended=max(self.ended, at))
        facts = dict(entry.facts)
        match entry.event, facts:
            case Event.DONE, _:
                return replace(run, outcome="done")
            case Event.FAILED, _:
                return replace(run, outcome="failed", error=str(facts.get("error", "")))
            case Event.PROGRESS, {"table": str(table), "rows": int(rows)}:
                others = tuple(copied for copied in run.copied if copied.table != table)
                return replace(run, copied=(*others, Copied(table=table, rows=rows)))
        match facts:
            case {"pause_ms": int() | float() as pause}:
                run = replace(run, pause_ms=float(pause))
        what = str(facts.pop("step", "")).replace("_", " ")
        told = ", ".join(f"{name.replace('_', ' ')} {_told(value)}" for name, value in facts.items())
        step = Step(after=(at - self.started).total_seconds(), what=": ".join(filter(None, (what, told))))
        return replace(run, steps=(*run.steps, step))


def history(entries: Iterable[Entry]) -> tuple[Run, ...]:
    """All runs, the earliest first. The lines of one run follow each other, also where a merge put others between."""
    runs: list[Run] = []
    run_of: dict[str, int] = {}
    for entry in entries:
        if entry.event == Event.STARTED:
            runs.append(_begun(entry))
            run_of[entry.hash] = len(runs) - 1
            continue
        # What a damaged record says of no run that it tells of cannot be put anywhere.
        found = [run_of[hash_] for hash_ in entry.after if hash_ in run_of]
        if found:
            run_of[entry.hash] = found[-1]
            runs[found[-1]] = runs[found[-1]].then(entry)
    return tuple(sorted(runs, key=lambda run: run.started))


def _begun(entry: Entry) -> Run:
    at = _time(entry)
    return Run(
        number=entry.index + 1,
        operation=entry.operation,
        backwards=entry.direction == BACKWARDS,
        who=entry.who,
        started=at,
        ended=at,
    )


def _time(entry: Entry) -> datetime:
    return datetime.fromisoformat(entry.at).astimezone(UTC)


def _told(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " and ".join(map(str, value))
    return str(value)
