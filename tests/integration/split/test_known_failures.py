"""Failures known from other tools that no other file here has a test of. docs/reliability.md lists them all."""

import os

import psycopg
import pytest

from strangler.split import Limits, Move, MoveSpec, Side, SwitchAborted
from tests.integration.split.conftest import BROUGHT

MEASURES = """
    CREATE TABLE measure (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value float8, small float4, at timestamptz, day date,
        twice float8 GENERATED ALWAYS AS (value * 2) STORED);
"""
AWKWARD = """
    INSERT INTO measure (value, small, at, day) VALUES
        (0.1::float8 + 0.2::float8, 0.1, '2026-03-29 01:30:00.123456+01', '2026-02-28'),
        ('NaN', '-Infinity', '-infinity', 'infinity'),
        ('-0', 1e-45, '0044-03-15 12:00:00 BC', '4713-01-01 BC'),
        (5e-324, 3.4028235e38, '294276-12-31 23:59:59.999999+00', '5874897-12-31'),
        (NULL, NULL, NULL, NULL)
"""


def test_a_large_value_that_stays_comes_along_when_its_row_changes(shop):
    body = os.urandom(400_000).hex()  # kept out of line, and not to be compressed away
    shop.source.execute("UPDATE review SET body = %s WHERE id = 1", (body,))
    shop.bring()
    shop.source.execute("UPDATE review SET score = 0.5 WHERE id = 1")
    shop.move.catch_up()
    assert shop.target.execute("SELECT body, score FROM review WHERE id = 1").fetchone() == (body, 0.5)
    assert shop.move.verify().equal


@BROUGHT
def test_an_update_that_changes_nothing_changes_nothing(shop):
    before = shop.target.execute("SELECT * FROM review ORDER BY id").fetchall()
    shop.source.execute("UPDATE review SET id = id, author = author")
    shop.move.catch_up()
    assert shop.target.execute("SELECT * FROM review ORDER BY id").fetchall() == before
    assert shop.move.verify().equal


@pytest.fixture
def measures(source_dsn, target_dsn):
    """A move of a table with identity, generated and awkward values, brought over."""
    with psycopg.connect(source_dsn, autocommit=True) as source, psycopg.connect(target_dsn, autocommit=True) as target:
        for connection in (source, target):
            connection.execute(MEASURES)
        source.execute(AWKWARD)
        move = Move(MoveSpec(name="0001_measures", moved=("measure",)), source_dsn, target_dsn)
        move.create()
        move.copy(lambda progress: None)
        source.execute(AWKWARD)
        move.catch_up()
        yield move, source, target


def test_floats_times_identity_and_generated_columns_arrive_as_they_are(measures, traffic):
    move, source, target = measures
    assert move.verify().equal
    written = "SELECT id, value::text, small::text, at::text, day::text, twice::text FROM measure ORDER BY id"
    assert source.execute(written).fetchall() == target.execute(written).fetchall()
    move.switch(Side.TARGET, traffic)
    there = target.execute("INSERT INTO measure (value) VALUES (1.5) RETURNING id, twice").fetchone()
    assert there is not None and there[0] > 10 and there[1] == 3.0


@pytest.mark.parametrize(
    ("column", "value"),
    [("value", "'0'::float8"), ("at", "at + interval '1 microsecond'"), ("day", "day + 1"), ("small", "2.8e-45")],
)
def test_values_that_are_nearly_or_falsely_equal_are_found_to_differ(measures, column, value):
    move, _, target = measures
    with target.transaction():
        target.execute("SET LOCAL session_replication_role = replica")
        target.execute("SET LOCAL ROLE strangler_applier")
        target.execute(f"UPDATE measure SET {column} = {value} WHERE id = 3")
    (difference,) = move.verify().differences
    assert (difference.key, column in difference.what) == (("3",), True)


@BROUGHT
def test_a_reverse_that_fails_leaves_the_move_as_it_was(shop, traffic, target_dsn):
    shop.move.switch(Side.TARGET, traffic)
    with psycopg.connect(target_dsn) as writer:
        writer.execute("UPDATE vote SET helpful = NOT helpful WHERE id = 1")
        with pytest.raises(SwitchAborted, match="stays with the target"):
            shop.move.switch(Side.SOURCE, traffic, limits=Limits(lock=0.1, fence_attempts=2, fence_pause=0.05))
    assert shop.move.picture().owner is Side.TARGET
    shop.add_review(Side.TARGET, "after the reverse that failed")
    assert shop.move.switch(Side.SOURCE, traffic).owner is Side.SOURCE
    assert shop.source.execute("SELECT count(*) FROM review WHERE author LIKE 'after%'").fetchone() == (1,)
