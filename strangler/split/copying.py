"""The first copy: range of keys by range of keys, by any number of workers on any number of hosts.

The target keeps the ranges that are not copied yet. A worker locks one, copies it and strikes it out in one
transaction; a worker that dies leaves its range to the next, and no range is copied twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from strangler.split.errors import Busy, SplitError, UniqueClash
from strangler.split.exchange import agreed_keys, transfer
from strangler.split.layout import Layout, Pair
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import Key, KeyRange, key_from_text, key_to_text

FIRST_SIZE = 20_000
"""Keys in the first range of a table."""
GOAL = 2.0
"""Seconds that a range should take; the next ones are made larger or smaller accordingly. A dead worker costs as much,
and each range costs some round trips."""
_LARGEST = 2**40
_IDLE = 0.05
_OTHERS_BUILD = 0.5
_ATTEMPTS = 10
_WHOLE_LOG = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """What a copy spares; None is no bound. A range is not begun while one is exceeded."""

    rows_per_second: float | None = None  # by all workers together
    replica_lag: float | None = None  # seconds that the source's slowest standby is behind
    running: float | None = None  # statements that others run at the source

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and value <= 0:
                raise ValueError(f"the throttle's {name} is {value}; give more than 0, or None for no bound")


@dataclass(frozen=True, kw_only=True)
class CopyProgress:
    """How far the copy is, in rows; "total" is the planner's estimate until the copy is done."""

    table: str
    rows: int
    total: int
    done: bool
    rate: float = 0.0  # rows a second by all workers since this one began, 0 where nothing can be said
    left: int = 0  # rows of all tables that are not copied, about
    building: str = ""  # what is made again once the rows are there

    @property
    def eta(self) -> float | None:
        """Seconds until all tables are copied, at this rate; None where nothing can be said."""
        return None if self.done or not self.rate else self.left / self.rate

    def __str__(self) -> str:
        if self.building:
            return f"{self.table}: building {self.building}"
        left = "" if self.eta is None else f", {self.rate:,.0f} a second, all in about {self.eta:,.0f} s"
        return f"{self.table}: {self.rows:,} of about {max(self.total, self.rows):,} rows copied{left}"


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """How fast all workers together have been since this one began; what they have copied stands in the target."""

    throttle: Throttle
    before: int  # rows that were copied when this worker began
    began: float

    def rate(self, rows: int) -> float:
        return (rows - self.before) / max(time.monotonic() - self.began, 0.001)

    def wait(self, source: Store, rows: int) -> None:
        """Until the next range may begin."""
        throttle = self.throttle
        while True:
            ahead = 0.0
            if throttle.rows_per_second is not None:
                ahead = (rows - self.before) / throttle.rows_per_second - (time.monotonic() - self.began)
            if throttle.replica_lag is not None and (lag := source.replica_lag()) > throttle.replica_lag:
                ahead = max(ahead, min(lag, 1.0))
            if throttle.running is not None and source.running() > throttle.running:
                ahead = max(ahead, 1.0)
            if ahead <= 0:
                return
            time.sleep(min(ahead, 1.0))


def copy(
    source: Store,
    target: Store,
    move: str,
    layout: Layout,
    on_progress: Callable[[CopyProgress], None],
    *,
    throttle: Throttle | None = None,
) -> CopyProgress:
    """Copy what nobody has copied yet, and return when everybody has; safe to run again, and more than once at a time.

    "target" is the applier's connection. Captures must be in place on the source: rows that change meanwhile
    are in its log and are applied again afterwards. Raises SplitError where the move is cancelled meanwhile.
    """
    pace = _Pace(throttle=throttle or Throttle(), before=sum(_rows(target, move).values()), began=time.monotonic())
    estimates = {pair.name: max(source.estimate(pair.source), 0) for pair in layout.pairs}
    for pair in layout.pairs:
        while not table_copied(target, move, pair.name):
            pace.wait(source, sum(_rows(target, move).values()))
            cut = _cut(source, target, move, pair)
            if not _copy_range(source, target, move, layout, pair):
                if not cut:
                    time.sleep(_IDLE)  # others are at the last ranges
                continue
            rows = _rows(target, move)
            on_progress(
                CopyProgress(
                    table=pair.name,
                    rows=rows[pair.name],
                    total=estimates[pair.name],
                    done=False,
                    rate=pace.rate(sum(rows.values())),
                    left=sum(max(estimate - rows[name], 0) for name, estimate in estimates.items()),
                )
            )
    total = sum(_rows(target, move).values())
    return CopyProgress(table="all tables", rows=total, total=total, done=True, rate=pace.rate(total))


def put_back(
    source: Store,
    target: Store,
    filling: Store,
    move: str,
    layout: Layout,
    *,
    on_progress: Callable[[CopyProgress], None],
) -> None:
    """Make what was set aside again; returns when all of it is there. Safe to run again, and more than once at a time.

    "target" is an administrator's connection, "filling" the applier's.
    """
    while names := target.aside(move):
        try:
            with target.transaction():
                # The stream's row, before the tables: who has it is alone, and whoever follows the changes waits.
                if not target.query(
                    "SELECT batch FROM strangler.streams WHERE move = %s FOR UPDATE SKIP LOCKED", (move,)
                ):
                    time.sleep(_OTHERS_BUILD)
                    continue
                on_progress(CopyProgress(table="all tables", rows=0, total=0, done=False, building=names[0]))
                target.put_back(move)
        except UniqueClash:
            take_out_changed(source, filling, move, layout)


def copied(target: Store, move: str, layout: Layout) -> bool:
    """Whether every table is copied, and what was set aside for that is there again. This is a read-only operation."""
    return all(table_copied(target, move, pair.name) for pair in layout.pairs) and not target.aside(move)


def table_copied(target: Store, move: str, name: str) -> bool:
    """Whether a table is cut into ranges to its end, and all of them are copied. This is a read-only operation."""
    return bool(
        target.scalar(
            "SELECT count(*) FROM strangler.copies WHERE move = %s AND name = %s AND cut "
            "AND NOT EXISTS (SELECT 1 FROM strangler.ranges WHERE move = %s AND name = %s)",
            (move, name, move, name),
        )
    )


def take_out_changed(source: Store, target: Store, move: str, layout: Layout) -> None:
    """Delete the rows at the target whose keys wait in the source's log: they come again with that.

    Ranges are of different moments, so a unique value that has wandered between two rows may be in both. What is left
    after this is as the source has it, and fits together. "target" is the applier's connection.
    """
    log = source.log(move)
    log.end()  # all that was committed, and may have been copied, can be read then
    with source.snapshot():
        changes = log.read(_WHOLE_LOG, layout.captured(Side.SOURCE)).changes
    for pair in reversed(layout.pairs):
        keys = [change.key for change in changes if change.name == pair.name and change.key is not None]
        if keys:
            target.delete(pair.target, agreed_keys(source, target, pair.source, keys))


def _copy_range(source: Store, target: Store, move: str, layout: Layout, pair: Pair) -> bool:
    """Copy one range that nobody else is at; False where there is none."""
    for attempt in range(_ATTEMPTS):
        try:
            with target.transaction():
                if attempt:
                    take_out_changed(source, target, move, layout)
                return _copy_locked_range(source, target, move, pair)
        except (UniqueClash, Busy):
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("at least one attempt is made")


def _copy_locked_range(source: Store, target: Store, move: str, pair: Pair) -> bool:
    began = time.monotonic()
    _hold(target, move)
    found = target.query(
        "SELECT number, after_key, upto_key FROM strangler.ranges WHERE move = %s AND name = %s "
        "ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED",
        (move, pair.name),
    )
    if not found:
        return False
    number, after, upto = found[0]
    rows = transfer(source, target, pair, Side.SOURCE, KeyRange(after=_key(after), upto=_key(upto)))
    target.execute(
        "DELETE FROM strangler.ranges WHERE move = %s AND name = %s AND number = %s", (move, pair.name, number)
    )
    factor = min(max(GOAL / max(time.monotonic() - began, 0.001), 0.25), 4.0)
    # Last, since all workers change this row.
    target.execute(
        "UPDATE strangler.copies SET rows = rows + %s, size = CASE WHEN size * %s < 100 THEN 100 "
        "WHEN size * %s > %s THEN %s ELSE CAST(size * %s AS bigint) END WHERE move = %s AND name = %s",
        (rows, factor, factor, _LARGEST, _LARGEST, factor, move, pair.name),
    )
    return True


def _cut(source: Store, target: Store, move: str, pair: Pair) -> bool:
    """Cut the next range off; False where nothing is left to cut."""
    with target.transaction():
        _hold(target, move)
        found = target.query(
            "SELECT last_key, size, cut, ranges FROM strangler.copies WHERE move = %s AND name = %s FOR UPDATE",
            (move, pair.name),
        )
        if not found:
            raise SplitError(f'move "{move}" was cancelled while it was copied; create it again to go on')
        last, size, cut, number = found[0]
        if cut:
            return False
        upto = source.range_end(pair.source, KeyRange(after=_key(last)), size)
        text = None if upto is None else key_to_text(upto)
        target.execute(
            "INSERT INTO strangler.ranges (move, name, number, after_key, upto_key) VALUES (%s, %s, %s, %s, %s)",
            (move, pair.name, number, last, text),
        )
        target.execute(
            "UPDATE strangler.copies SET last_key = %s, cut = %s, ranges = %s WHERE move = %s AND name = %s",
            (text, upto is None, number + 1, move, pair.name),
        )
    return True


def _hold(target: Store, move: str) -> None:
    """The ownership row, before any other: a cancel waits for the ranges that are on their way, and they for it."""
    target.query("SELECT epoch FROM strangler.ownership WHERE move = %s FOR SHARE", (move,))


def _rows(target: Store, move: str) -> dict[str, int]:
    """The rows that all workers have copied, by table."""
    return dict(target.query("SELECT name, rows FROM strangler.copies WHERE move = %s", (move,)))


def _key(text: str | None) -> Key | None:
    return None if text is None else key_from_text(text)
