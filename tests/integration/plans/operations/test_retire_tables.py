import pytest

from strangler.plans.operations import RetireTables
from tests.integration.plans.operations.retired import MODELS, OPERATIONS, prepare, retire, states


@pytest.fixture
def shop(source, target):
    prepare(source, target)


def since(source):
    return source.execute("SELECT name, relation, tombstoned_at FROM strangler.retirements ORDER BY name").fetchall()


def test_the_tables_stay_as_tombstones_and_their_waiting_time_begins(
    shop, world, key, state, source, source_dsn, target_dsn
):
    world, after = retire(world, key, state, source_dsn, target_dsn)
    first = since(source)
    assert [row[:2] for row in first] == [
        ("reviews_review", "public.reviews_review"),
        ("reviews_vote", "public.reviews_vote"),
    ]
    assert world.move(after).picture().done
    # Once more, as after a crash: the time is not set back.
    OPERATIONS[-1].forwards(world, after, after)
    assert since(source) == first


def test_what_died_before_the_note_is_noted_by_the_next_run(shop, world, key, state, source, source_dsn, target_dsn):
    world, after = retire(world, key, state, source_dsn, target_dsn)
    source.execute("DROP TABLE strangler.retirements")
    RetireTables(MODELS).forwards(world, states(key, state)[-2], after)
    assert len(since(source)) == 2
