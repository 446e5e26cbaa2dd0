"""A move that keeps copies and moves nothing: for a service that only reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from strangler.split import Capture, Move, MoveSpec, Refused, Replica, Side, TwoOwners
from tests.integration.split.conftest import RecordedTraffic
from tests.integration.split.engines import SPEC

COPIES = MoveSpec(
    name="0001_catalog",
    moved=(),
    replicated=(Replica(table="product", columns=("id", "name")), Replica(table="ticket", columns=("code", "note"))),
)
PAIRS = [("postgresql", "postgresql"), ("mariadb", "mariadb"), ("sqlite", "sqlite"), ("sqlite", "postgresql")]


@pytest.mark.parametrize("pair", PAIRS, ids="->".join)
def test_copies_follow_one_way_and_are_given_up_whole(shop_of, pair):
    with shop_of(*pair) as shop:
        shop.move = Move(COPIES, shop.source.dsn, shop.target.dsn)
        lives(shop)


def test_copies_are_followed_by_the_log_too(shop_of):
    with shop_of("postgresql", "postgresql") as shop:
        shop.move = Move(replace(COPIES, capture=Capture.LOG), shop.source.dsn, shop.target.dsn)
        lives(shop)


def lives(shop):
    shop.bring()
    follows(shop)
    shop.move.cancel()
    assert names(shop.target) == []
    assert shop.move.picture() is None
    shop.target.run("INSERT INTO product (id, name) VALUES (1, 'free')")
    shop.target.run("DELETE FROM product")
    shop.bring()
    # A source that has lost all of it, as a backup has, is told from one where it was never begun.
    shop.source.run("DELETE FROM strangler.streams")
    with pytest.raises(TwoOwners, match='the source database has lost move "0001_catalog"'):
        shop.move.create()


def follows(shop):
    move, traffic = shop.move, RecordedTraffic()
    assert names(shop.target) == names(shop.source) != []
    shop.source.run("UPDATE product SET name = 'changed' WHERE id = 7")
    shop.source.run("DELETE FROM product WHERE id = 50")
    shop.source.add_review("as free as before")
    move.catch_up()
    assert names(shop.target) == names(shop.source)
    assert move.verify().equal
    with pytest.raises(Exception, match="read-only copy"):
        shop.target.run("UPDATE product SET name = 'mine'")
    with pytest.raises(Refused, match='move "0001_catalog" keeps copies only, and no table that could change its'):
        move.switch(Side.TARGET, traffic)
    assert not traffic.asked
    with shop.target.spoiling() as spoiler:
        spoiler.run("UPDATE product SET name = 'spoiled' WHERE id = 3")
    move.repair(move.verify().differences)
    assert move.verify().equal
    assert (move.status().picture.owner, move.status().copied, move.status().broken) == (Side.SOURCE, True, False)


def names(application):
    return application.run("SELECT id, name FROM product ORDER BY id")


def test_beside_a_move_of_other_tables_both_are_followed(shop_of):
    with shop_of("postgresql", "postgresql") as shop:
        specs = (replace(COPIES, replicated=COPIES.replicated[:1]), replace(SPEC, replicated=()))
        copies, reviews = (Move(spec, shop.source.dsn, shop.target.dsn) for spec in specs)
        for shop.move in (copies, reviews):
            shop.bring()
        reviews.switch(Side.TARGET, RecordedTraffic())
        shop.source.run("UPDATE product SET name = 'after the switch' WHERE id = 7")
        copies.catch_up()
        assert names(shop.target)[6] == (7, "after the switch")
