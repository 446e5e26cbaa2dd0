"""The first copy: range of keys by range of keys, by any number of workers on any number of hosts.

The target keeps the ranges. A worker locks one that is not copied, copies it and notes that in one transaction; a
worker that dies leaves its range to the next, and no range is copied twice.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from strangler.split.exchange import transfer
from strangler.split.layout import Layout, Pair
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import Key, KeyRange, key_from_text, key_to_text

FIRST_SIZE = 20_000
"""Keys in the first range of a table."""
GOAL = 0.5
"""Seconds that a range should take; the next ones are made larger or smaller accordingly."""
_LARGEST = 2**40
_IDLE = 0.05


@dataclass(frozen=True, kw_only=True)
class Throttle:
    """What a copy spares; None is no bound. A range is not begun while one is exceeded."""

    rows_per_second: float | None = None  # by each worker
    replica_lag: float | None = None  # seconds that the source's slowest standby is behind
    load: float | None = None  # processes that want to run, of the machine the worker runs on

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
    seconds: float = 0.0  # since this worker began, 0 if it has only looked
    copied: int = 0  # rows, by this worker

    @property
    def eta(self) -> float | None:
        """Seconds that are left at this worker's rate so far; None where nothing can be said."""
        if self.done or not self.copied or not self.seconds:
            return None
        return max(self.total - self.rows, 0) * self.seconds / self.copied

    def __str__(self) -> str:
        left = "" if self.eta is None else f", about {self.eta:,.0f} s left"
        return f"{self.table}: {self.rows:,} of about {max(self.total, self.rows):,} rows copied{left}"


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
    are in its log and are applied again afterwards.
    """
    began = time.monotonic()
    mine = total = 0
    for pair in layout.pairs:
        while not table_copied(target, move, pair.name):
            _spare(source, throttle or Throttle(), mine, began)
            rows = _copy_range(source, target, move, pair)
            if rows is None and not _cut(source, target, move, pair):
                time.sleep(_IDLE)  # others are at the last ranges
            if rows is not None:
                mine += rows
                on_progress(
                    CopyProgress(
                        table=pair.name,
                        rows=_rows(target, move, pair.name),
                        total=source.estimate(pair.source),
                        done=False,
                        seconds=time.monotonic() - began,
                        copied=mine,
                    )
                )
        total += _rows(target, move, pair.name)
    return CopyProgress(
        table="all tables", rows=total, total=total, done=True, seconds=time.monotonic() - began, copied=mine
    )


def copied(target: Store, move: str, layout: Layout) -> bool:
    """Whether every table is copied. This is a read-only operation."""
    return all(table_copied(target, move, pair.name) for pair in layout.pairs)


def table_copied(target: Store, move: str, name: str) -> bool:
    """Whether a table is cut into ranges to its end, and all of them are copied. This is a read-only operation."""
    return bool(
        target.scalar(
            "SELECT count(*) FROM strangler.copies WHERE move = %s AND name = %s AND cut "
            "AND NOT EXISTS (SELECT 1 FROM strangler.ranges WHERE move = %s AND name = %s AND rows IS NULL)",
            (move, name, move, name),
        )
    )


def _copy_range(source: Store, target: Store, move: str, pair: Pair) -> int | None:
    """Copy one range that nobody else is at; the number of its rows, or None where there is none."""
    began = time.monotonic()
    with target.transaction():
        found = target.query(
            "SELECT number, after_key, upto_key FROM strangler.ranges WHERE move = %s AND name = %s AND rows IS NULL "
            "ORDER BY number LIMIT 1 FOR UPDATE SKIP LOCKED",
            (move, pair.name),
        )
        if not found:
            return None
        number, after, upto = found[0]
        keys = KeyRange(after=_key(after), upto=_key(upto))
        rows = transfer(source, target, pair, Side.SOURCE, keys)
        target.execute(
            "UPDATE strangler.ranges SET rows = %s WHERE move = %s AND name = %s AND number = %s",
            (rows, move, pair.name, number),
        )
    factor = min(max(GOAL / max(time.monotonic() - began, 0.001), 0.25), 4.0)
    target.execute(
        "UPDATE strangler.copies SET size = CASE WHEN size * %s < 100 THEN 100 WHEN size * %s > %s THEN %s "
        "ELSE CAST(size * %s AS bigint) END WHERE move = %s AND name = %s",
        (factor, factor, _LARGEST, _LARGEST, factor, move, pair.name),
    )
    return rows


def _cut(source: Store, target: Store, move: str, pair: Pair) -> bool:
    """Cut the next range off; False where nothing is left to cut."""
    with target.transaction():
        found = target.query(
            "SELECT last_key, size, cut FROM strangler.copies WHERE move = %s AND name = %s FOR UPDATE",
            (move, pair.name),
        )
        last, size, cut = found[0]
        if cut:
            return False
        upto = source.range_end(pair.source, KeyRange(after=_key(last)), size)
        number = target.scalar("SELECT count(*) FROM strangler.ranges WHERE move = %s AND name = %s", (move, pair.name))
        text = None if upto is None else key_to_text(upto)
        target.execute(
            "INSERT INTO strangler.ranges (move, name, number, after_key, upto_key) VALUES (%s, %s, %s, %s, %s)",
            (move, pair.name, number, last, text),
        )
        target.execute(
            "UPDATE strangler.copies SET last_key = %s, cut = %s WHERE move = %s AND name = %s",
            (text, upto is None, move, pair.name),
        )
    return True


def _spare(source: Store, throttle: Throttle, copied_rows: int, began: float) -> None:
    while True:
        ahead = 0.0
        if throttle.rows_per_second is not None:
            ahead = copied_rows / throttle.rows_per_second - (time.monotonic() - began)
        if throttle.replica_lag is not None and (lag := source.replica_lag()) > throttle.replica_lag:
            ahead = max(ahead, min(lag, 1.0))
        if throttle.load is not None and os.getloadavg()[0] > throttle.load:
            ahead = max(ahead, 1.0)
        if ahead <= 0:
            return
        time.sleep(min(ahead, 1.0))


def _rows(target: Store, move: str, name: str) -> int:
    return int(target.scalar("SELECT sum(rows) FROM strangler.ranges WHERE move = %s AND name = %s", (move, name)) or 0)


def _key(text: str | None) -> Key | None:
    return None if text is None else key_from_text(text)
