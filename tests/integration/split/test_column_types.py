"""Columns of every type, on every pair of engines: carried both ways, and watched in each of them."""

import json
from functools import cache
from types import SimpleNamespace

import pytest

from strangler.split import Move, MoveSpec, Side
from tests.integration.split.column_types import columns_of
from tests.integration.split.conftest import RecordedTraffic
from tests.integration.split.engines import ENGINES, PAIRS, Application

BEFORE = {
    "postgresql": ["CREATE TYPE mood AS ENUM ('glad', 'sad')", "CREATE DOMAIN short_text AS varchar(3)"],
    "mariadb": [],
    "mysql": [],
    "sqlite": [],
}


@pytest.fixture(scope="module")
def carry(new_database):
    """One move, there and back, and then past a corrupting trigger, for each pair: what was to be seen on the way."""

    @cache
    def carried(source, target):
        with new_database(source, Side.SOURCE) as mine, new_database(target, Side.TARGET) as theirs:
            applications = {
                side: Application(engine=ENGINES[engine], dsn=dsn)
                for side, engine, dsn in ((Side.SOURCE, source, mine), (Side.TARGET, target, theirs))
            }
            move = Move(MoveSpec(name="0001_things", moved=("thing",)), mine, theirs)
            seen = _carry(applications, columns_of(source, target), move)
            for application in applications.values():
                application.connection.close()
            return seen

    return carried


def _carry(applications, columns, move):
    source, target = applications[Side.SOURCE], applications[Side.TARGET]
    for application in applications.values():
        engine = application.engine.name
        written = ", ".join(f"{column.name} {column.types[engine]}" for column in columns)
        for statement in BEFORE[engine]:
            application.run(statement)
        application.run(f"CREATE TABLE thing (id bigint NOT NULL PRIMARY KEY, touched bigint, {written})")

    def values(application, which):
        return [column.literal(application.engine.name, getattr(column, which)) for column in columns]

    names = ", ".join(column.name for column in columns)
    last = len(columns) + 1
    for number in range(1, last):
        source.run(f"INSERT INTO thing (id, {names}) VALUES ({number}, {', '.join(values(source, 'one'))})")
    source.run(f"INSERT INTO thing (id, {names}) VALUES ({last}, {', '.join(values(source, 'other'))})")
    source.run(f"INSERT INTO thing (id) VALUES ({last + 1})")
    move.create()
    move.copy(lambda progress: None)
    verifications = [move.verify()]

    # There: the first row becomes what the last one is, written by the other engine's application.
    move.switch(Side.TARGET, RecordedTraffic())
    for column, value in zip(columns, values(target, "other"), strict=True):
        target.run(f"UPDATE thing SET {column.name} = {value} WHERE id = 1")
    move.catch_up()
    verifications.append(move.verify())
    alike = {
        side: [_read(application, columns, number) for number in (1, last)]
        for side, application in applications.items()
    }
    move.switch(Side.SOURCE, RecordedTraffic())

    # Back, and every row once more, past a trigger that spoils one column of each.
    for column, value in zip(columns, values(source, "one"), strict=True):
        source.run(f"UPDATE thing SET {column.name} = {value} WHERE id = 1")
    move.catch_up()
    verifications.append(move.verify())
    spoiled = zip(columns, values(target, "other"), strict=True)
    spoils = {number: (column.name, value) for number, (column, value) in enumerate(spoiled, start=1)}
    for statement in target.engine.corrupting("thing", spoils):
        target.run(statement)
    source.run("UPDATE thing SET touched = 1")
    move.catch_up()
    return SimpleNamespace(
        verifications=verifications,
        alike=alike,
        found={difference.key: difference.what for difference in move.verify().differences},
        key={column.name: (str(number),) for number, column in enumerate(columns, start=1)},
    )


def _read(application, columns, number):
    """The row, value by value, but for JSON, which may be written otherwise."""
    # Python has not all that PostgreSQL has.
    shown = "{}::text" if application.engine.name == "postgresql" else "{}"
    names = ", ".join(shown.format(column.name) for column in columns)
    (row,) = application.run(f"SELECT {names} FROM thing WHERE id = {number}")
    return {
        column.name: json.loads(value) if column.name.endswith("tags") else repr(value)
        for column, value in zip(columns, row, strict=True)
    }


@pytest.mark.parametrize("pair", PAIRS, ids="->".join)
def test_rows_are_the_same_whichever_side_wrote_them(carry, pair):
    carried = carry(*pair)
    for verification in carried.verifications:
        assert verification.equal, verification
        assert verification.rows == len(carried.key) + 2
    for side, (first, last) in carried.alike.items():
        assert first == last, side


@pytest.mark.parametrize(
    ("pair", "column"),
    [(pair, column.name) for pair in PAIRS for column in columns_of(*pair)],
    ids=lambda value: value if isinstance(value, str) else "->".join(value),
)
def test_a_corrupting_trigger_is_found_by_row_and_column(carry, pair, column):
    carried = carry(*pair)
    assert carried.found.get(carried.key[column]) == f"differs in {column}"


@pytest.mark.parametrize("pair", PAIRS, ids="->".join)
def test_nothing_else_is_found(carry, pair):
    carried = carry(*pair)
    assert set(carried.found) <= set(carried.key.values())
