"""How the split grows with the rows: a table and a picture for docs/, and what they come to for larger tables.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_growth.py [--rows 100000,1000000,...] [--docs docs]

Two embedded PostgreSQL servers, one table with a key, a unique column and an index, nobody else at work.
"""

import argparse
import os
from dataclasses import dataclass
from math import log
from pathlib import Path

import psycopg
from bench_split import SPEC, Nobody, fill, two_servers
from figures import execute, median, timed
from plot import log_log

from strangler.split import Move, Side

ROWS = "100000,300000,1000000,3000000,10000000"
CHANGES = 20_000
SWITCHES = 6
WRONG = 7
INDEXES = (
    "CREATE UNIQUE INDEX review_reference ON review (reference)",
    "CREATE INDEX by_product ON review (product_id)",
)
LARGER = (100_000_000, 1_000_000_000, 10_000_000_000)
FIGURES = {
    "copy": "copy, indexes included",
    "equal": "comparison, equal",
    "different": f"comparison, {WRONG} rows different",
    "repair": f"repair of {WRONG} rows",
    "changes": f"catch-up, {CHANGES:,} changes",
    "switch": "nobody owns at a switch",
}


@dataclass(frozen=True, kw_only=True)
class Size:
    """What was measured at one number of rows: seconds by figure."""

    rows: int
    size: int  # bytes of table and indexes at the source
    seconds: dict[str, float]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--docs", type=Path, help="Directory to write growth.md and growth.svg to; default: print.")
    options = parser.parse_args()
    if options.docs is not None and not options.docs.is_dir():
        parser.error(f'there is no directory "{options.docs}"')
    load = os.getloadavg()[0]
    with two_servers() as (source, target):
        sizes = [measured(source, target, int(rows)) for rows in options.rows.split(",")]
    lines = {FIGURES[name]: [(one.rows, one.seconds[name]) for one in sizes] for name in FIGURES}
    if options.docs is None:
        print(report(sizes, load))  # noqa: T201
        return
    (options.docs / "growth.md").write_text(report(sizes, load), encoding="utf-8")
    (options.docs / "growth.svg").write_text(log_log(lines, "rows", "seconds"), encoding="utf-8")


def measured(source, target, rows):
    fill(source, target, rows)
    for dsn in (source, target):
        execute(dsn, *INDEXES)
    move = Move(SPEC, source, target)
    move.create()
    seconds = {"copy": timed(lambda: move.copy(lambda progress: None))}
    assert move.verify().equal
    seconds["equal"] = timed(move.verify)
    with psycopg.connect(target) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET ROLE strangler_applier")
        wrong = [n * rows // (WRONG + 1) for n in range(1, WRONG + 1)]
        connection.execute("UPDATE review SET title = 'corrupt' WHERE id = ANY(%s)", (wrong,))
    found = []
    seconds["different"] = timed(lambda: found.append(move.verify()))
    assert len(found[0].differences) == WRONG
    seconds["repair"] = timed(lambda: move.repair(found[0].differences))
    execute(source, f"UPDATE review SET title = 'changed' WHERE id % {max(rows // CHANGES, 1)} = 0")
    seconds["changes"] = timed(lambda: move.catch_up(300))
    assert move.verify().equal
    pauses, to = [], Side.TARGET
    for _ in range(SWITCHES):
        pauses.append(move.switch(to, Nobody()).pause_ms / 1000)
        to = to.other
    seconds["switch"] = median(pauses)
    size = scalar(source, "SELECT pg_total_relation_size('review')")
    move.cancel()
    return Size(rows=rows, size=size, seconds=seconds)


def report(sizes, load):
    """The page: what was measured, how it grows, and what it comes to for larger tables at the last one's rate."""
    largest = sizes[-1]
    head = " | ".join(f"{one.rows:,}" for one in sizes)
    lines = [
        "# Growth",
        "",
        "Written by `make bench-growth`: do not edit. Seconds, on two embedded PostgreSQL servers that share the",
        f"machine with the toolkit; {largest.size / largest.rows:,.0f} bytes a row with its indexes. The last",
        "column is the exponent between the first and the last size: 1 is linear, 0 does not depend on the rows.",
        f"The machine's load before: {load:.1f} on {os.cpu_count()} cores.",
        "",
        "![seconds by rows](growth.svg)",
        "",
        f"| rows | {head} | exponent |",
        f"|---|{'---|' * len(sizes)}---|",
    ]
    for name, title in FIGURES.items():
        values = " | ".join(f"{one.seconds[name]:,.3g}" for one in sizes)
        lines.append(f"| {title} | {values} | {exponent(sizes, name):.2f} |")
    lines += [
        "",
        "## Computed, not measured",
        "",
        f"One worker, at the cost of a row as it was at {largest.rows:,} rows; [scale.md](scale.md) says what that",
        "leaves out.",
        "",
        "| rows | bytes | copy | comparison |",
        "|---|---|---|---|",
    ]
    for rows in LARGER:
        factor = rows / largest.rows
        copy, equal = (duration(largest.seconds[name] * factor) for name in ("copy", "equal"))
        lines.append(f"| {rows:,} | {largest.size * factor / 1e12:,.2f} TB | {copy} | {equal} |")
    return "\n".join([*lines, ""])


def exponent(sizes, name):
    first, last = sizes[0], sizes[-1]
    if first.rows == last.rows:
        return 0.0
    return log(last.seconds[name] / first.seconds[name]) / log(last.rows / first.rows)


def duration(seconds):
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:,.0f} min"


def scalar(dsn, statement):
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement).fetchone()[0]


if __name__ == "__main__":
    main()
