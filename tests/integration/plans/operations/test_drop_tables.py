from datetime import timedelta

import psycopg
import pytest

from strangler.plans.operations import ArchiveTables, DropTables
from strangler.split import Side
from strangler.split.errors import Refused
from tests.integration.plans.operations.retired import MODELS, moved

ARCHIVE = ArchiveTables(MODELS, to="archive", after=timedelta(0))
DROP = DropTables(MODELS, after=timedelta(0))


@pytest.fixture
def templates(retired):
    return retired


@pytest.fixture
def shop(world, key, state, source_dsn, target_dsn):
    world, before = moved(world, key, state, source_dsn, target_dsn)
    archived = ARCHIVE.state_forwards(key, before)
    ARCHIVE.forwards(world, before, archived)
    return world, archived


def forwards(shop, key, operation=DROP):
    world, archived = shop
    operation.forwards(world, archived, operation.state_forwards(key, archived))


def standing(source):
    return [
        name
        for name in ("reviews_review", "reviews_vote")
        if source.execute("SELECT to_regclass(%s)", (name,)).fetchone() != (None,)
    ]


def ours(source):
    """The triggers and functions of the toolkit that are left on the reviews, and the log's lines of them."""
    return source.execute(
        """SELECT (SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
                   WHERE tgname LIKE 'strangler%' AND c.relname LIKE 'reviews%'),
                  (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                   WHERE n.nspname = 'strangler' AND p.prosrc LIKE '%reviews!_%' ESCAPE '!'),
                  (SELECT count(*) FROM strangler.changes WHERE name LIKE 'reviews%')"""
    ).fetchone()


def test_tables_fences_captures_and_log_go_in_one_step(shop, key, source, events):
    source.execute("INSERT INTO strangler.changes (move, name) VALUES (%s, 'reviews_vote')", (key.name,))
    assert all(ours(source))
    forwards(shop, key)
    assert (standing(source), ours(source)) == ([], (0, 0, 0))
    assert [event[1]["table"] for event in events if event[0] == "step" and event[1]["step"] == "dropped"] == [
        "public.reviews_review",
        "public.reviews_vote",
    ]
    # Once more, as after a crash.
    forwards(shop, key)


def test_the_move_goes_on_to_exist_and_its_copies_are_followed(shop, key, source, target):
    """The routes go by the ownership rows, and the service goes on to need its copy of the products."""
    world, archived = shop
    after = DROP.state_forwards(key, archived)
    forwards(shop, key)
    move = world.move(after)
    assert move.routing().owner is Side.TARGET
    assert move.status().picture.done
    source.execute("UPDATE catalog_product SET name = 'bench'")
    move.catch_up()
    assert target.execute("SELECT name FROM catalog_product").fetchall() == [("bench",)]
    with pytest.raises(psycopg.errors.DatabaseError, match="read-only copy"):
        target.execute("UPDATE catalog_product SET name = 'mine'")
    target.execute("INSERT INTO reviews_review (product_id, title) VALUES (1, 'the service writes')")
    move.recover(world.traffic)


def test_the_name_stays_claimed(shop, key, source):
    forwards(shop, key)
    assert source.execute("SELECT count(*) FROM strangler.claims WHERE move = %s", (key.name,)).fetchone() == (2,)


def test_before_the_waiting_time_is_over_nothing_is_dropped(shop, key, source):
    month = DropTables(MODELS, after=timedelta(days=30))
    with pytest.raises(Refused, match=r"waits until .* 30 days, 0:00:00 after ArchiveTables"):
        forwards(shop, key, month)
    assert len(standing(source)) == 2
    source.execute("UPDATE strangler.retirements SET archived_at = archived_at - 31 * 86400")
    forwards(shop, key, month)
    assert standing(source) == []


def test_a_table_that_was_not_archived_stays(shop, key, source, world):
    source.execute("UPDATE strangler.retirements SET archived_at = NULL WHERE name = 'reviews_vote'")
    with pytest.raises(Refused, match='"reviews_vote" is not on record as done by ArchiveTables'):
        forwards(shop, key)
    assert len(standing(source)) == 2


@pytest.mark.parametrize("suffix", ["csv", "sql"])
def test_an_archive_that_has_changed_or_gone_keeps_the_tables(shop, key, source, tmp_path, suffix):
    file = tmp_path / "archive" / f"public.reviews_review.{suffix}"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(Refused, match=f'reviews_review.{suffix}" has another checksum'):
        forwards(shop, key)
    file.unlink()
    with pytest.raises(Refused, match=f'reviews_review.{suffix}" is gone; bring it back'):
        forwards(shop, key)
    assert len(standing(source)) == 2
    file.write_bytes(whole)
    forwards(shop, key)
    assert standing(source) == []


@pytest.mark.parametrize(
    "change",
    ["UPDATE reviews_vote SET review_id = 1 WHERE id = 4", "DELETE FROM reviews_vote WHERE id = 4"],
)
def test_a_table_that_somebody_changed_behind_the_fence_stays(shop, key, source, change):
    source.execute("ALTER TABLE reviews_vote DISABLE TRIGGER strangler_fence")
    source.execute(change)
    with pytest.raises(Refused, match='table "reviews_vote" is not what its archive holds'):
        forwards(shop, key)
    assert len(standing(source)) == 2


def test_a_table_that_others_need_stays(shop, key, source):
    source.execute("CREATE VIEW glad AS SELECT * FROM reviews_review WHERE feeling = 'glad'")
    with pytest.raises(Refused, match="view glad depends on table reviews_review; take that away first"):
        forwards(shop, key)
    assert len(standing(source)) == 2
    assert source.execute("SELECT count(*) FROM strangler.retirements WHERE dropped_at IS NOT NULL").fetchone() == (0,)


def test_tables_of_a_source_that_owns_are_never_dropped(shop, key, source):
    source.execute("UPDATE strangler.ownership SET owns = true")
    with pytest.raises(Refused, match="the source may own move"):
        forwards(shop, key)
    assert len(standing(source)) == 2


def test_an_archive_of_a_dropped_table_is_not_removed(shop, key, tmp_path):
    world, archived = shop
    forwards(shop, key)
    with pytest.raises(Refused, match="its archive is all that is left of it"):
        ARCHIVE.backwards(world, archived, archived)
    assert (tmp_path / "archive" / "public.reviews_vote.csv").exists()


def test_the_dry_run_says_what_would_be_refused_and_drops_nothing(shop, key, source):
    world, archived = shop
    month = DropTables(MODELS, after=timedelta(days=30))
    lines = list(month.effects(world, archived, month.state_forwards(key, archived)))
    assert sum(line.startswith("-- would be refused now:") for line in lines) == 2
    assert lines[-1] == "DROP TABLE reviews_review, reviews_vote;"
    assert next(DROP.effects(world, archived, archived)).startswith("-- monolith:")
    assert len(standing(source)) == 2
