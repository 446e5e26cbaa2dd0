"""A database that was restored from a backup is recognised by every verb, and nobody writes anything."""

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
import pytest

from strangler.split import Refused, Side, SplitError
from tests.integration.split.conftest import Shop, shop_on


@dataclass
class Backups:
    """Copies of the two databases, as a backup holds them."""

    dsns: dict[Side, str]
    shop: Shop

    def take(self, side: Side) -> None:
        self._with_server(side, 'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"')

    def restore(self, side: Side) -> None:
        self._with_server(side, 'DROP DATABASE "{name}" WITH (FORCE)')
        self._with_server(side, 'ALTER DATABASE "{name}_backup" RENAME TO "{name}"')

    def _with_server(self, side: Side, statement: str) -> None:
        server, name = self.dsns[side].rsplit("/", 1)
        # A database with sessions cannot be a template.
        self.shop.connection(side).close()
        with psycopg.connect(server + "/postgres", autocommit=True) as admin:
            admin.execute(statement.format(name=name))
        if not statement.startswith("DROP"):
            self.shop = shop_on(self.dsns[Side.SOURCE], self.dsns[Side.TARGET])


@pytest.fixture
def backups(shop, source_dsn, target_dsn):
    made = Backups({Side.SOURCE: source_dsn, Side.TARGET: target_dsn}, shop)
    yield made
    for side, dsn in made.dsns.items():
        made.shop.connection(side).close()
        server, name = dsn.rsplit("/", 1)
        with psycopg.connect(server + "/postgres", autocommit=True) as admin:
            admin.execute(f'DROP DATABASE IF EXISTS "{name}_backup"')


def written(shop):
    """Everything that a verb could have changed."""
    tables = ("review", "vote", "strangler.ownership", "strangler.claims", "strangler.changes", "strangler.ranges")
    return [
        connection.execute(f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t").fetchone()
        for connection in (shop.source, shop.target)
        for table in tables
        if connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)
    ]


def changes(shop, side, traffic):
    """Some batches in both directions, as the daemon's heartbeats make them."""
    with shop.move.session() as session:
        for number in range(3):
            shop.add_review(side, f"after the backup {number}")
            session.send_heartbeats()
            session.catch_up(10)


@dataclass(frozen=True)
class Case:
    """When the backup was taken, what happened since, which side was restored, and what is said."""

    before: Callable[[Shop, object], None]
    after: Callable[[Shop, object], None]
    side: Side
    says: str
    owner: Side
    """Before the restore."""


def nothing(shop, traffic): ...


def bring(shop, traffic):
    shop.bring()


def switched(shop, traffic):
    shop.bring()
    shop.move.switch(Side.TARGET, traffic)


def reversed_(shop, traffic):
    switched(shop, traffic)
    shop.move.switch(Side.SOURCE, traffic)


def to_target(shop, traffic):
    shop.move.switch(Side.TARGET, traffic)


def to_source(shop, traffic):
    shop.move.switch(Side.SOURCE, traffic)


def there_and_back(shop, traffic):
    to_target(shop, traffic)
    to_source(shop, traffic)


def changes_at(side):
    return lambda shop, traffic: changes(shop, side, traffic)


CASES = {
    "before the switch, the target": Case(
        bring, changes_at(Side.SOURCE), Side.TARGET, "the target knows . only: it was set back in time", Side.SOURCE
    ),
    "before the switch, the source": Case(
        bring, changes_at(Side.SOURCE), Side.SOURCE, "the source knows . only: it was set back in time", Side.SOURCE
    ),
    "before the move, the source": Case(nothing, bring, Side.SOURCE, "the source database has lost move", Side.SOURCE),
    "after the switch, the target from before it": Case(
        bring, to_target, Side.TARGET, "the target database is at epoch 0 .* was seen at 1", Side.TARGET
    ),
    "after the switch, the source from before it": Case(
        bring, to_target, Side.SOURCE, "both databases say that they own", Side.TARGET
    ),
    "after the switch, the target from before the move": Case(
        nothing, switched, Side.TARGET, "the target database has lost move", Side.TARGET
    ),
    "after the switch, the target from after it": Case(
        switched, changes_at(Side.TARGET), Side.TARGET, "the target knows . only: it was set back in time", Side.TARGET
    ),
    "after the switch, the source from after it": Case(
        switched, changes_at(Side.TARGET), Side.SOURCE, "the source knows . only: it was set back in time", Side.TARGET
    ),
    "after the reverse, the target from before the switch": Case(
        bring, there_and_back, Side.TARGET, "the target database is at epoch 0 .* was seen at 2", Side.SOURCE
    ),
    "after the reverse, the target from before it": Case(
        switched, to_source, Side.TARGET, "both databases say that they own", Side.SOURCE
    ),
    "after the reverse, the source from before it": Case(
        switched, to_source, Side.SOURCE, "the source database is at epoch 2 .* was seen at 3", Side.SOURCE
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_verb_recognises_it_and_writes_nothing(shop, backups, traffic, name):
    case = CASES[name]
    case.before(shop, traffic)
    backups.take(case.side)
    case.after(backups.shop, traffic)
    assert backups.shop.move.picture().owner is case.owner
    backups.restore(case.side)
    shop = backups.shop
    verbs = {
        "switch": lambda: shop.move.switch(case.owner.other, traffic),
        "recover": lambda: shop.move.recover(traffic),
        "apply": shop.move.apply_once,
        "verify": shop.move.verify,
        "complete": lambda: shop.move.complete(traffic),
        "cancel": shop.move.cancel,
    }
    contradicted = "both" in case.says or "has lost" in case.says
    if case.owner is Side.SOURCE and case.side is Side.TARGET and not contradicted:
        del verbs["cancel"]  # which is the way out
    if case.owner is not case.side and not contradicted and "epoch" not in case.says:
        del verbs["recover"]  # the owner is whole
    asked = list(traffic.asked)
    before = written(shop)
    for verb in verbs.values():
        with pytest.raises(SplitError, match=case.says):
            verb()
    status = shop.move.status()
    assert status.broken
    assert not status.can_switch
    assert "a backup" in status.refusals[0]
    assert written(shop) == before
    assert traffic.asked == asked


def test_a_target_that_was_set_back_is_copied_anew(shop, backups, traffic):
    shop.bring()
    backups.take(Side.TARGET)
    there_and_back(backups.shop, traffic)
    backups.shop.add_review(Side.SOURCE, "since the backup")
    backups.restore(Side.TARGET)
    shop = backups.shop
    shop.move.cancel()
    shop.bring()
    shop.move.switch(Side.TARGET, traffic)
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'since the backup'").fetchone() == (1,)


def test_a_target_from_before_the_move_is_copied_anew(shop, backups, traffic):
    """As after a cancel that died between the two databases."""
    backups.take(Side.TARGET)
    backups.shop.bring()
    changes(backups.shop, Side.SOURCE, traffic)
    backups.restore(Side.TARGET)
    backups.shop.bring()
    assert backups.shop.move.switch(Side.TARGET, traffic).owner is Side.TARGET


@pytest.mark.parametrize("compared", [False, True], ids=["not compared since", "compared before the restore"])
def test_a_source_that_has_lost_what_one_batch_carried_differs_from_the_target(shop, backups, traffic, compared):
    """To the counts it is a lost acknowledgement; what was noted at the target, or a whole comparison, tells."""
    shop.bring()
    backups.take(Side.SOURCE)
    backups.shop.add_review(Side.SOURCE, "in one batch")
    backups.shop.move.catch_up()
    if compared:
        assert backups.shop.move.verify().equal
    backups.restore(Side.SOURCE)
    shop = backups.shop
    shop.source.execute("UPDATE review SET body = 'since' WHERE id = 1")
    shop.move.catch_up()
    assert not shop.move.status().broken
    if not compared:
        with pytest.raises(Refused, match=r"the sides differ: .*public\.review"):
            shop.move.switch(Side.TARGET, traffic)
        assert shop.move.picture().owner is Side.SOURCE
    (difference,) = shop.move.verify().differences
    assert difference.table == "public.review"
    with pytest.raises(Refused, match="the last verification found 1 rows"):
        shop.move.switch(Side.TARGET, traffic)
    assert shop.target.execute("SELECT count(*) FROM review WHERE author = 'in one batch'").fetchone() == (1,)


GIVE_BACK = """
    SELECT strangler.set_owner(move, epoch, true, term + 10, false, %s::jsonb)
    FROM strangler.ownership WHERE move = '0001_reviews'
"""
TAKE_AWAY = """
    SELECT strangler.set_owner(move, epoch, false, term, done, '[]')
    FROM strangler.ownership WHERE move = '0001_reviews' AND owns
"""


@pytest.mark.parametrize("taken", [bring, switched])
def test_a_new_owner_that_was_set_back_gives_way_to_the_other_side_by_hand(shop, backups, traffic, taken):
    """What docs/protocol.md says to do: the source has had what was carried back, and owns again."""
    taken(shop, traffic)
    backups.take(Side.TARGET)
    shop = backups.shop
    if taken is bring:
        to_target(shop, traffic)
    changes(shop, Side.TARGET, traffic)
    backups.restore(Side.TARGET)
    shop = backups.shop
    shop.target.execute(TAKE_AWAY)
    highest = shop.source.execute("SELECT max(id) FROM review").fetchone()[0]
    shop.source.execute(GIVE_BACK, (f'[{{"relation": "public.review", "attribute": "id", "at_least": {highest}}}]',))
    shop.add_review(Side.SOURCE, "written since")
    shop.move.cancel()
    shop.bring()
    shop.move.switch(Side.TARGET, traffic)
    authors = "SELECT count(*) FROM review WHERE author LIKE 'after the backup%' OR author = 'written since'"
    assert shop.target.execute(authors).fetchone() == (4,)
