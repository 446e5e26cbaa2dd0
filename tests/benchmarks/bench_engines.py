"""Copy, verification and capture on SQLite and MariaDB, beside what these engines do by themselves, in one run.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_engines.py [--rows N] [--only sqlite,mariadb]

MariaDB needs the package mariadb-server; without it its arm is left out.
"""

import argparse
import itertools
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
from figures import line, median, timed

from strangler.deploy.mariadb import MariaDBServer
from strangler.deploy.ports import free_port
from strangler.split import Move, MoveSpec
from strangler.split.store import Database, Role

ROUNDS = 3
SECONDS = 3.0
SPEC = MoveSpec(name="0001_bench", moved=("review",))
WRONG = 7


class Sqlite:
    """Two files on one disk; by itself: ATTACH and INSERT ... SELECT."""

    name = "SQLite"
    reference = "ATTACH, INSERT ... SELECT"
    table = (
        "CREATE TABLE review (id integer PRIMARY KEY AUTOINCREMENT, reference char(32) NOT NULL, "
        "product_id bigint NOT NULL, rating integer NOT NULL, title varchar(200) NOT NULL, body text NOT NULL)"
    )
    fill = (
        "WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < {rows}) "
        "INSERT INTO review (reference, product_id, rating, title, body) SELECT lower(hex(randomblob(16))), "
        "n % 100000, n % 5 + 1, 'Review ' || n, substr(hex(zeroblob(120)), 1, n % 240) FROM n"
    )
    insert = "INSERT INTO review (reference, product_id, rating, title, body) VALUES (?, 1, 5, 'x', 'y')"

    @contextmanager
    def two(self):
        home = Path(tempfile.mkdtemp(prefix="bench-sqlite-"))
        try:
            paths = [home / f"{side}.sqlite3" for side in ("source", "target")]
            for path in paths:
                with self.open(f"sqlite://{path}") as connection:
                    connection.execute("PRAGMA journal_mode = WAL")
            yield tuple(f"sqlite://{path}" for path in paths)
        finally:
            shutil.rmtree(home)

    @contextmanager
    def open(self, dsn):
        connection = sqlite3.connect(urlsplit(dsn).path, isolation_level=None, timeout=30)
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
        connection.close()

    def spoil(self, dsn, keys):
        with self.open(dsn) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE strangler_applier SET at_work = 1")
            connection.executemany("UPDATE review SET title = 'corrupt' WHERE id = ?", [(key,) for key in keys])
            connection.execute("UPDATE strangler_applier SET at_work = 0")
            connection.execute("COMMIT")

    def copy(self, source, target):
        with self.open(target) as connection:
            connection.execute("ATTACH ? AS source", (urlsplit(source).path,))
            connection.execute("INSERT INTO main.review SELECT * FROM source.review")


class MariaDB:
    """Two servers; by itself: mariadb-dump into mariadb."""

    name = "MariaDB"
    reference = "mariadb-dump piped to mariadb"
    table = (
        "CREATE TABLE review (id bigint AUTO_INCREMENT PRIMARY KEY, reference uuid NOT NULL, "
        "product_id bigint NOT NULL, rating smallint NOT NULL, title varchar(200) NOT NULL, body longtext NOT NULL)"
    )
    fill = (
        "INSERT INTO review (reference, product_id, rating, title, body) SELECT uuid(), seq % 100000, seq % 5 + 1, "
        "concat('Review ', seq), repeat('well made, ', seq % 20) FROM seq_1_to_{rows}"
    )
    insert = "INSERT INTO review (reference, product_id, rating, title, body) VALUES (%s, 1, 5, 'x', 'y')"

    @contextmanager
    def two(self):
        home = Path(tempfile.mkdtemp(prefix="bench-mariadb-"))
        servers = [MariaDBServer(data=home / side, port=free_port()) for side in ("source", "target")]
        try:
            for server in servers:
                server.start()
                with self.open(server.dsn()) as connection:
                    connection.cursor().execute("CREATE DATABASE bench")
            yield tuple(server.dsn("bench") for server in servers)
        finally:
            for server in servers:
                server.stop()
            shutil.rmtree(home)

    @contextmanager
    def open(self, dsn):
        where = urlsplit(dsn)
        connection = pymysql.connect(
            host=where.hostname,
            port=where.port,
            user=where.username,
            password=where.password,
            database=where.path[1:],
            autocommit=True,
        )
        yield connection
        connection.close()

    def spoil(self, dsn, keys):
        with Database(name="target", dsn=dsn).connect(Role.APPLIER) as store:
            store.run(f"UPDATE review SET title = 'corrupt' WHERE id = {key}" for key in keys)

    def copy(self, source, target):
        given, taken = urlsplit(source), urlsplit(target)
        dump = subprocess.Popen(
            ["mariadb-dump", *self._login(given), "--single-transaction", "--no-create-info", "bench", "review"],
            stdout=subprocess.PIPE,
        )
        subprocess.run(["mariadb", *self._login(taken), "bench"], stdin=dump.stdout, check=True)
        assert dump.wait() == 0

    def _login(self, where):
        return (
            *("--no-defaults", f"--host={where.hostname}", f"--port={where.port}"),
            *(f"--user={where.username}", f"--password={where.password}"),
        )


ENGINES = {"sqlite": Sqlite(), "mariadb": MariaDB()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--only", default=",".join(ENGINES))
    options = parser.parse_args()
    for name in options.only.split(","):
        if name == "mariadb" and shutil.which("mariadb-install-db") is None:
            sys.stdout.write("MariaDB is not there\n")
            continue
        engine = ENGINES[name]
        with engine.two() as (source, target):
            run(engine, source, engine.table)
            run(engine, target, engine.table)
            run(engine, source, engine.fill.format(rows=options.rows))
            move = Move(SPEC, source, target)
            bench_copy(engine, move, source, target, options.rows)
            bench_verify(engine, move, options.rows)
            bench_capture(engine, move, source)


def bench_copy(engine, move, source, target, rows):
    reference, ours = [], []
    for _ in range(ROUNDS):
        reference.append(timed(lambda: engine.copy(source, target)))
        run(engine, target, "DELETE FROM review")
        move.create()
        ours.append(timed(lambda: move.copy(lambda progress: None)))
        move.cancel()
    line(
        f"{engine.name}: copy",
        f"{rows / median(ours):,.0f} rows/s",
        f"{engine.reference} {rows / median(reference):,.0f} rows/s",
        median(reference) / median(ours),
    )


def bench_verify(engine, move, rows):
    move.create()
    move.copy(lambda progress: None)
    for what, wrong in (("equal", 0), (f"{WRONG} rows different", WRONG)):
        engine.spoil(move.target.dsn, [n * rows // (WRONG + 1) for n in range(1, wrong + 1)])
        times = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            assert len(move.verify().differences) == wrong
            times.append(time.monotonic() - began)
        line(f"{engine.name}: verification, {what}", f"{rows / median(times):,.0f} rows/s", "", None)
    move.cancel()


def bench_capture(engine, move, source):
    without, captured = [], []
    for _ in range(ROUNDS):
        without.append(commits(engine, source))
        move.create()
        captured.append(commits(engine, source))
        move.cancel()
    line(
        f"{engine.name}: source with capture",
        f"{median(captured):,.0f} commits/s",
        f"without {median(without):,.0f} commits/s",
        median(captured) / median(without),
    )


def commits(engine, dsn):
    """How many rows a second one writer commits, one after the other."""
    with engine.open(dsn) as connection:
        cursor, began = connection.cursor(), time.monotonic()
        for count in itertools.count(1):
            cursor.execute(engine.insert, (uuid.uuid4().hex,))
            if time.monotonic() - began > SECONDS:
                return count / (time.monotonic() - began)
    raise AssertionError("it counts on until the time is over")


def run(engine, dsn, statement):
    with engine.open(dsn) as connection:
        connection.cursor().execute(statement)


if __name__ == "__main__":
    main()
