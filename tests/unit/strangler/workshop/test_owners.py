"""The one that looks for two owners, shown some."""

import time

import psycopg
import pytest

from strangler.workshop.owners import OwnerWatch

ROW = """
    CREATE SCHEMA strangler;
    CREATE TABLE strangler.ownership (move text, epoch bigint, owns boolean);
    INSERT INTO strangler.ownership VALUES ('m', 1, false);
"""


@pytest.fixture
def rows(source_dsn, target_dsn):
    with psycopg.connect(source_dsn, autocommit=True) as source, psycopg.connect(target_dsn, autocommit=True) as target:
        source.execute(ROW)
        target.execute(ROW)
        yield source, target


def test_an_instant_with_two_owners_is_seen(rows, source_dsn, target_dsn):
    with OwnerWatch(source_dsn, target_dsn, "m") as watch:
        rows[0].execute("UPDATE strangler.ownership SET owns = true, epoch = 2")
        time.sleep(0.1)
        assert watch.two_owners == 0
        rows[1].execute("UPDATE strangler.ownership SET owns = true, epoch = 2")
        time.sleep(0.2)
    assert watch.two_owners > 0
    assert watch.looks > watch.two_owners


def test_ownership_that_wanders_from_one_to_the_other_is_not_two_owners(rows, source_dsn, target_dsn):
    with OwnerWatch(source_dsn, target_dsn, "m", pause=0) as watch:
        for epoch in range(2, 60, 4):
            for step, (row, owns) in enumerate(((0, True), (0, False), (1, True), (1, False))):
                rows[row].execute("UPDATE strangler.ownership SET owns = %s, epoch = %s", (owns, epoch + step))
                time.sleep(0.003)
    assert watch.looks > 0
    assert watch.two_owners == 0


def test_a_move_that_is_not_set_up_yet_is_waited_for(source_dsn, target_dsn):
    with OwnerWatch(source_dsn, target_dsn, "m") as watch:
        time.sleep(0.05)
    assert (watch.looks, watch.broken) == (0, "")


def test_a_database_that_goes_away_is_told(rows, source_dsn):
    gone = source_dsn.rsplit("/", 1)[0] + "/nowhere"
    with OwnerWatch(source_dsn, gone, "m") as watch:
        time.sleep(0.2)
    assert "nowhere" in watch.broken
