import pytest

from strangler.plans.operations import RunSQL

FILL = RunSQL("UPDATE shop\n\nSET open = true", "UPDATE shop SET open = NULL")
LAST = RunSQL("DROP TABLE old", irreversible="its rows are gone")


def test_a_reverse_or_a_reason_is_required_and_not_both():
    with pytest.raises(ValueError, match='RunSQL needs its reverse, or irreversible="why"'):
        RunSQL("SELECT 1")
    with pytest.raises(ValueError, match="choose one"):
        RunSQL("SELECT 1", "SELECT 2", irreversible="no")
    with pytest.raises(ValueError, match=r"write RunSQL.NOTHING"):
        RunSQL("SELECT 1", "  ")


def test_nonsense_is_refused_when_it_is_written():
    with pytest.raises(ValueError, match="RunSQL has no SQL"):
        RunSQL(" ", "SELECT 1")
    with pytest.raises(ValueError, match='database "shop" is neither "monolith" nor "service"'):
        RunSQL("SELECT 1", "SELECT 2", database="shop")


def test_what_cannot_be_undone_ends_the_way_back_and_says_why():
    assert (FILL.reversible, FILL.final) == (True, False)
    assert (LAST.reversible, LAST.final) == (False, True)
    assert "irreversible: its rows are gone" in LAST.describe()


def test_the_dry_run_prints_the_sql_both_ways_and_does_nothing(world, state, key, events):
    after = FILL.state_forwards(key, state)
    assert list(FILL.effects(world, state, after))[1:] == ["UPDATE shop", "SET open = true"]
    assert list(FILL.undo_effects(world, state, after))[1:] == ["UPDATE shop SET open = NULL"]
    assert list(LAST.undo_effects(world, state, after)) == []
    assert events == []


def test_runs_are_numbered_within_their_plan(state, key):
    after = FILL.state_forwards(key, FILL.state_forwards(key, state))
    other = FILL.state_forwards(type(key)(name="0002_other", service="x"), after)
    assert [(run.plan, run.number) for run in other.runs] == [(key.name, 1), (key.name, 2), ("0002_other", 1)]


def test_a_long_text_is_described_shortly():
    assert len(RunSQL("SELECT " + "1, " * 100 + "1", RunSQL.NOTHING).describe()) < 110
