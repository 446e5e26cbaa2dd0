"""A move between two real MariaDB databases, from its creation to its end."""

from strangler.split import Side
from tests.integration.split.mariadb_shop import (  # noqa: F401 - fixtures
    mariadb_servers,
    needs_mariadb,
    shop,
    source_dsn,
    target_dsn,
    writers,
)

pytestmark = needs_mariadb


def references(client):
    return {str(row[0]) for row in client.query("SELECT reference FROM review")}


def test_copy_and_catch_up_make_both_sides_equal(shop):
    shop.bring()
    assert shop.count(Side.TARGET, "review") == 1_000
    assert shop.count(Side.TARGET, "product") == 100


def test_switch_reverse_and_switch_lose_nothing_under_load(shop, writers, traffic):
    shop.bring()
    with writers:
        for to in (Side.TARGET, Side.SOURCE, Side.TARGET):
            report = shop.move.switch(to, traffic)
            print(report)
            assert report.owner is to
    shop.move.catch_up()
    assert not writers.failures
    assert len(writers.acknowledged) > 20
    assert set(map(str, writers.acknowledged)) <= references(shop.target)
    assert shop.move.verify().equal
    published = [asked for asked in traffic.asked if asked[0] == "publish"]
    assert [asked[1:3] for asked in published] == [(Side.TARGET, 2), (Side.SOURCE, 3), (Side.TARGET, 4)]
