"""Rows between SQLite and PostgreSQL: a value that cannot cross is told before the start; all others cross exactly."""

import json
import sqlite3
import uuid
from contextlib import ExitStack
from datetime import UTC, date, datetime, time
from decimal import Decimal
from math import isfinite

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strangler.split import Move, MoveSpec, Refused, Side, SplitError, exchange
from strangler.split.layout import read_layout
from strangler.split.store import Database
from strangler.split.table import EVERYTHING, canonical_json
from tests.integration.split.engines import new_file
from tests.integration.split.mysql_client import Client

IN_POSTGRES = """
    CREATE TABLE thing (
        id bigint PRIMARY KEY, whole integer, name varchar(10), score double precision, price numeric(10,2),
        at timestamptz, day date, hour time, tags jsonb, code uuid, public boolean, raw bytea)
"""
IN_SQLITE = """
    CREATE TABLE thing (
        id integer PRIMARY KEY, whole integer, name varchar(10), score real, price decimal,
        at datetime, day date, hour time, tags text, code char(32), public bool, raw blob)
"""


class Two:
    """A PostgreSQL and a SQLite database with one table, and moves between them both ways."""

    def __init__(self, postgres_dsn, sqlite_dsn):
        self.postgres = psycopg.connect(postgres_dsn, autocommit=True)
        self.sqlite = sqlite3.connect(sqlite_dsn.removeprefix("sqlite://"), isolation_level=None)
        self.dsns = {"postgresql": postgres_dsn, "sqlite": sqlite_dsn}

    def move(self, source):
        target = "sqlite" if source == "postgresql" else "postgresql"
        return Move(MoveSpec(name="0001_things", moved=("thing",)), self.dsns[source], self.dsns[target])


@pytest.fixture
def two(source_dsn, tmp_path):
    opened = Two(source_dsn, new_file(tmp_path, "two"))
    opened.postgres.execute(IN_POSTGRES)
    opened.sqlite.execute(IN_SQLITE)
    yield opened
    opened.postgres.close()
    opened.sqlite.close()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("whole", "many", "column \"whole\" .* holds 'many', which is no whole number"),
        ("whole", 2**31, "holds 2147483648, which is out of the range of integer"),
        ("whole", 1.5, "holds 1.5, which is no whole number"),
        ("name", "a\0b", r"holds 'a\\x00b', with a NUL character"),
        ("name", "a" * 11, "which is longer than character varying"),
        ("name", b"\xff", "which is no text"),
        ("score", "high", "which is no floating number"),
        ("price", "1.005", "which has more digits than numeric"),
        ("price", "cheap", "which is no decimal number"),
        ("at", "yesterday", "which is no date and time"),
        ("at", 20240101, "which is no date and time"),
        ("day", "0000-00-00", "holds '0000-00-00', which is no date"),
        ("hour", "25:00:00", "which is no time"),
        ("tags", "{", "which is no JSON"),
        ("tags", '{"a": NaN}', "which is no JSON"),
        ("tags", '"\\u0000"', "with a NUL character"),
        ("code", "no uuid", "which is no UUID"),
        ("public", 2, "which is neither true nor false"),
        ("raw", "text", "which is no bytes"),
    ],
)
def test_a_value_that_postgresql_cannot_hold_is_named_before_the_start(two, column, value, why):
    two.sqlite.execute("INSERT INTO thing (id) VALUES (1)")
    two.sqlite.execute(f"INSERT INTO thing (id, {column}) VALUES (42, ?)", (value,))
    move = two.move("sqlite")
    with pytest.raises(Refused, match=rf"{why}.*\(row 42\); correct"):
        move.create()
    assert move.status().picture is None
    two.sqlite.execute("DELETE FROM thing WHERE id = 42")
    move.create()


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("score", "'NaN'", "holds nan, which sqlite does not have"),
        ("price", "'NaN'", "holds NaN, which is no number that every engine has"),
        ("at", "'infinity'", "holds 'infinity', which is no date and time"),
        ("at", "'0044-03-15 12:00:00 BC'", "which is no date and time"),
        ("day", "'-infinity'", "which is no date"),
        ("day", "'12024-01-01'", "which is no date"),
        ("hour", "'24:00:00'", "holds '24:00:00', which is no time"),
    ],
)
def test_a_value_that_sqlite_cannot_hold_is_named_before_the_start(two, column, value, why):
    two.postgres.execute(f"INSERT INTO thing (id, {column}) VALUES (42, {value})")
    with pytest.raises(Refused, match=rf"{why}.*\(row 42\); correct"):
        two.move("postgresql").create()
    two.postgres.execute("DELETE FROM thing")
    two.move("postgresql").create()


def test_text_that_is_no_utf8_is_refused_before_the_start(two):
    two.sqlite.execute("INSERT INTO thing (id, name) VALUES (1, CAST(x'ff' AS TEXT))")
    with pytest.raises(Refused, match=r"cannot be read \(Could not decode to UTF-8 column 'name'"):
        two.move("sqlite").create()


def test_a_value_that_comes_later_stops_the_applier_and_loses_nothing(two):
    move = two.move("sqlite")
    move.create()
    move.copy(lambda progress: None)
    two.sqlite.execute("INSERT INTO thing (id, name) VALUES (1, 'fine')")
    two.sqlite.execute("INSERT INTO thing (id, name) VALUES (2, 'far too long for it')")
    with pytest.raises(SplitError, match=r"which is longer than character varying\(10\) \(row 2\)"):
        move.catch_up()
    two.sqlite.execute("UPDATE thing SET name = 'short' WHERE id = 2")
    move.catch_up()
    assert move.verify().equal
    assert two.postgres.execute("SELECT id, name FROM thing ORDER BY id").fetchall() == [(1, "fine"), (2, "short")]


@pytest.mark.parametrize(
    ("column", "there", "why"),
    [
        ("extra interval", "extra bigint", 'the type "interval" of postgresql has no equal .* a bigint'),
        ("extra text[]", "extra text", "keep arrays as JSON"),
        ("extra bigint", "other bigint", 'only the source has "extra", only the target has "other"'),
        ("extra numeric(30,2)", "extra decimal", "SQLite keeps 15 digits"),
        ("extra text", "extra text COLLATE NOCASE UNIQUE", "a unique index takes some different values for the same"),
    ],
)
def test_a_column_that_cannot_be_mapped_is_named_before_the_start(two, column, there, why):
    two.postgres.execute(f"ALTER TABLE thing ADD COLUMN {column}")
    two.sqlite.execute("DROP TABLE thing")
    two.sqlite.execute(IN_SQLITE.rstrip().removesuffix(")") + f", {there})")
    with pytest.raises(Refused, match=why):
        two.move("postgresql").create()


def test_what_sqlite_writes_otherwise_means_the_same(two):
    """Dates with a T, a zone or milliseconds, UUIDs with dashes, decimals as text: read as what they mean."""
    code = uuid.uuid4()
    two.sqlite.execute(
        "INSERT INTO thing (id, at, price, tags, code) VALUES (1, ?, '1.50', '{\"b\": 1.0, \"a\": 1e2}', ?)",
        ("2024-05-01T12:00:00.123+02:00", str(code).upper()),
    )
    move = two.move("sqlite")
    move.create()
    move.copy(lambda progress: None)
    assert move.verify().equal
    assert two.postgres.execute("SELECT at, price, tags, code FROM thing").fetchone() == (
        datetime(2024, 5, 1, 10, 0, 0, 123_000, tzinfo=UTC),
        Decimal("1.50"),
        {"a": 100, "b": 1},
        code,
    )


def test_a_key_that_is_written_otherwise_is_refused(two):
    for connection, kind in ((two.sqlite, "char(32)"), (two.postgres, "uuid")):
        connection.execute("DROP TABLE thing")
        connection.execute(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY)")
    two.sqlite.execute("INSERT INTO thing VALUES (?)", (uuid.uuid4().hex.upper(),))
    with pytest.raises(Refused, match="which is no UUID of 32 small hexadecimal digits"):
        two.move("sqlite").create()
    two.sqlite.execute("UPDATE thing SET id = lower(id)")
    two.move("sqlite").create()


@pytest.mark.parametrize(
    ("lite", "post", "good", "bad"),
    [("char(32)", "uuid", "0" * 31 + "1", "no uuid"), ("bigint", "bigint", 1, "no number")],
)
def test_a_key_that_the_other_side_cannot_have_stops_the_applier_until_its_row_is_gone(two, lite, post, good, bad):
    for connection, kind in ((two.sqlite, lite), (two.postgres, post)):
        connection.execute("DROP TABLE thing")
        connection.execute(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY)")
    move = two.move("sqlite")
    move.create()
    move.copy(lambda progress: None)
    two.sqlite.execute("INSERT INTO thing VALUES (?), (?)", (good, bad))
    with pytest.raises(SplitError, match=f"the key {bad} of table .* is none that both sides understand; correct the"):
        move.catch_up()
    two.sqlite.execute("DELETE FROM thing WHERE id = ?", (bad,))
    move.catch_up()
    assert move.verify().equal
    assert two.postgres.execute("SELECT count(*) FROM thing").fetchone() == (1,)


def test_a_key_that_is_not_written_alike_is_refused_before_the_start(two):
    for connection, kind in ((two.sqlite, "text"), (two.postgres, "jsonb")):
        connection.execute("DROP TABLE thing")
        connection.execute(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY)")
    with pytest.raises(
        Refused, match="holds json values, which are not written alike by all engines; give it a key of"
    ):
        two.move("postgresql").create()


KEYS = [
    ("datetime", "timestamptz", ["2024-01-01 00:00:00", "2024-01-01 00:00:00.500000"]),
    ("date", "date", ["2024-01-01", "2024-02-29"]),
    ("bool", "boolean", [0, 1]),
    ("blob", "bytea", [b"", b"\x00\xff"]),
    ("text", "text", ["", "a", "A", "\u00e4", "z'\"[,]"]),
]


@pytest.mark.parametrize(("lite", "post", "keys"), KEYS, ids=[lite for lite, *_ in KEYS])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_rows_are_followed_by_keys_of_every_type(two, lite, post, keys, source):
    for connection, kind in ((two.sqlite, lite), (two.postgres, post)):
        connection.execute("DROP TABLE thing")
        connection.execute(f"CREATE TABLE thing (id {kind} NOT NULL PRIMARY KEY, note text)")

    def insert(key):
        if source == "sqlite":
            two.sqlite.execute("INSERT INTO thing VALUES (?, 'new')", (key,))
        else:
            two.postgres.execute(
                f"INSERT INTO thing VALUES (%s::{'int::' if lite == 'bool' else ''}{post}, 'new')", (key,)
            )

    sender = two.sqlite if source == "sqlite" else two.postgres
    receiver = two.postgres if source == "sqlite" else two.sqlite
    move = two.move(source)
    insert(keys[0])
    move.create()
    move.copy(lambda progress: None)
    for key in keys[1:]:
        insert(key)
    move.catch_up()
    assert move.verify().equal
    sender.execute("UPDATE thing SET note = 'changed'")
    move.catch_up()
    assert receiver.execute("SELECT count(*) FROM thing WHERE note = 'changed'").fetchone() == (len(keys),)
    sender.execute("DELETE FROM thing")
    move.catch_up()
    assert receiver.execute("SELECT count(*) FROM thing").fetchone() == (0,)


texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=10)
rows = st.fixed_dictionaries(
    {
        "whole": st.none() | st.integers(-(2**31), 2**31 - 1),
        "name": st.none() | texts,
        "score": st.none() | st.floats(allow_nan=False),
        "price": st.none() | st.decimals(-(10**8) + 1, 10**8 - 1, places=2),
        "at": st.none() | st.datetimes(),
        "day": st.none() | st.dates(),
        "hour": st.none() | st.times(),
        "tags": st.none()
        | st.recursive(
            st.none() | st.booleans() | st.integers(-(10**30), 10**30) | texts,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
            max_leaves=5,
        ).map(lambda value: canonical_json(json.dumps(value))),
        "code": st.none() | st.uuids(),
        "public": st.none() | st.booleans(),
        "raw": st.none() | st.binary(),
    }
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(rows, min_size=1, max_size=5))
def test_every_value_survives_the_way_to_postgresql_and_back(two, given_rows):
    there_and_back(two.move("sqlite"), given_rows)


IN_MARIADB = """
    CREATE TABLE thing (
        id bigint PRIMARY KEY, whole int, name varchar(10), score double, price decimal(10,2),
        at datetime(6), day date, hour time(6), tags json, code char(32), public bool, raw longblob)
"""


@pytest.fixture
def to_mariadb(two, new_database):
    """The move of PostgreSQL's table to a MariaDB database."""
    with new_database("mariadb", Side.TARGET) as dsn:
        with Client(dsn) as client:
            client.query(IN_MARIADB)
        yield Move(MoveSpec(name="0001_things", moved=("thing",)), two.dsns["postgresql"], dsn)


def as_mariadb_has_it(row):
    """Without what is refused: see test_unmappable.py."""
    score, day, at = row["score"], row["day"], row["at"]
    return row | {
        "score": score if score is not None and isfinite(score) else None,
        "day": day if day is not None and day.year >= 1000 else None,
        "at": at if at is not None and at.year >= 1000 else None,
    }


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(rows.map(as_mariadb_has_it), min_size=1, max_size=5))
def test_every_value_survives_the_way_to_mariadb_and_back(to_mariadb, given_rows):
    there_and_back(to_mariadb, given_rows)


def there_and_back(move, given_rows):
    with ExitStack() as stack:
        mine, theirs = (
            stack.enter_context(Database(name=side.value, dsn=dsn).connect())
            for side, dsn in zip(Side, (move.source.dsn, move.target.dsn), strict=True)
        )
        (pair,) = read_layout(move.spec, mine, theirs).pairs
        with mine.transaction(), theirs.transaction():
            for store in (mine, theirs):
                store.delete(pair.of(Side.SOURCE if store is mine else Side.TARGET), EVERYTHING)
            values = [
                (number, *(row[column.name] for column in pair.source.columns[1:]))
                for number, row in enumerate(given_rows)
            ]
            mine.insert(pair.source, values)
            assert exchange.transfer(mine, theirs, pair, Side.SOURCE, EVERYTHING) == len(values)
            there = dict(exchange.digests(theirs, pair.target))
            assert there == dict(exchange.digests(mine, pair.source))
            mine.delete(pair.source, EVERYTHING)
            exchange.transfer(theirs, mine, pair, Side.TARGET, EVERYTHING)
            assert dict(exchange.digests(mine, pair.source)) == there
            read = list(mine.values(pair.source, EVERYTHING))
            kinds = (int, int, str, float, Decimal, datetime, date, time, str, uuid.UUID, bool, bytes)
            assert all(
                value is None or isinstance(value, kind) for row in read for value, kind in zip(row, kinds, strict=True)
            )
            # Python's equality knows no difference in the digits of decimals, or of 0.0 and -0.0.
            assert sorted(read, key=lambda row: row[0]) == values
