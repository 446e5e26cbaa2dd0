import os
import signal

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import RunSQL

ADD = RunSQL("CREATE TABLE IF NOT EXISTS note (n int); INSERT INTO note VALUES (1)", "DELETE FROM note WHERE n = 1")


def notes(connection):
    return [n for (n,) in connection.execute("SELECT n FROM note ORDER BY n")]


def runs(connection):
    return connection.execute("SELECT plan, run FROM strangler.runs ORDER BY run").fetchall()


def test_it_runs_once_however_often_it_is_asked_and_is_undone_once(world, state, key, source, events):
    after = ADD.state_forwards(key, state)
    for _ in range(3):
        ADD.forwards(world, state, after)
    assert (notes(source), runs(source)) == ([1], [(key.name, 1)])
    for _ in range(2):
        ADD.backwards(world, state, after)
    assert (notes(source), runs(source)) == ([], [])
    ADD.forwards(world, state, after)
    assert notes(source) == [1]
    assert [facts["ran"] for _, facts in events] == [True, False, False, True, False, True]


def test_each_run_of_a_plan_has_a_record_of_its_own(world, state, key, source):
    one = ADD.state_forwards(key, state)
    two = ADD.state_forwards(key, one)
    ADD.forwards(world, state, one)
    ADD.forwards(world, one, two)
    assert (notes(source), runs(source)) == ([1, 1], [(key.name, 1), (key.name, 2)])


def test_in_the_services_database_it_leaves_the_monolith_alone(world, state, key, source, target):
    add = RunSQL("CREATE TABLE note (n int)", "DROP TABLE note", database="service")
    add.forwards(world, state, add.state_forwards(key, state))
    assert notes(target) == []
    assert source.execute("SELECT to_regclass('note'), to_regnamespace('strangler')").fetchone() == (None, None)


def test_a_statement_that_fails_leaves_neither_work_nor_record(world, state, key, source):
    source.execute("CREATE TABLE note (n int)")
    broken = RunSQL("INSERT INTO note VALUES (7); INSERT INTO nowhere VALUES (7)", RunSQL.NOTHING)
    with pytest.raises(PlanError, match='the monolith\'s database refused: relation "nowhere" does not exist'):
        broken.forwards(world, state, broken.state_forwards(key, state))
    assert (notes(source), runs(source)) == ([], [])


@pytest.mark.parametrize("after_the_work", [False, True])
def test_killed_before_the_commit_it_has_done_nothing_and_the_next_run_does_it(
    world, state, key, source, after_the_work
):
    from strangler.plans.runs import apply_once

    source.execute("CREATE TABLE note (n int)")
    after = ADD.state_forwards(key, state)
    if (child := os.fork()) == 0:

        def die(transaction):
            if after_the_work:
                transaction.connection.execute(ADD.sql)
            os.kill(os.getpid(), signal.SIGKILL)

        apply_once(world.databases, after.runs[-1], die)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (notes(source), runs(source)) == ([], [])
    ADD.forwards(world, state, after)
    assert notes(source) == [1]


def test_sql_that_commits_by_itself_is_found_out(world, state, key, source):
    commits = RunSQL("CREATE TABLE note (n int); COMMIT; INSERT INTO note VALUES (1)", RunSQL.NOTHING)
    with pytest.raises(PlanError, match="ended the transaction itself"):
        commits.forwards(world, state, commits.state_forwards(key, state))


def test_what_cannot_run_in_a_transaction_is_refused_by_the_database(world, state, key, source):
    source.execute("CREATE TABLE note (n int)")
    index = RunSQL("CREATE INDEX CONCURRENTLY note_n ON note (n)", "DROP INDEX note_n")
    with pytest.raises(PlanError, match="CREATE INDEX CONCURRENTLY cannot"):
        index.forwards(world, state, index.state_forwards(key, state))
    assert runs(source) == []


def test_percent_signs_and_empty_reverses_are_taken_as_they_stand(world, state, key, source):
    add = RunSQL("CREATE TABLE note AS SELECT 1 AS n WHERE 'a%s' LIKE '%%'", RunSQL.NOTHING)
    after = add.state_forwards(key, state)
    add.forwards(world, state, after)
    add.backwards(world, state, after)
    assert (notes(source), runs(source)) == ([1], [])


def test_the_record_of_another_executor_that_has_not_committed_is_waited_for(world, state, key, source):
    """The second one does not run the work at the same time: it gives up on the record's lock."""
    after = ADD.state_forwards(key, state)
    ADD.forwards(world, state, after)
    ADD.backwards(world, state, after)
    with source.transaction():
        source.execute("INSERT INTO strangler.runs (plan, run) VALUES (%s, 1)", (key.name,))
        with pytest.raises(PlanError, match="lock timeout"):
            ADD.forwards(world, state, after)
    ADD.forwards(world, state, after)
    assert notes(source) == []
