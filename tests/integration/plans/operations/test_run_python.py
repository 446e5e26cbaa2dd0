import pytest
from django.db import connection as orchard

from monolith.accounts.models import User
from strangler.plans.errors import PlanError
from strangler.plans.operations import RunPython


def add_person(connection):
    """Makes a person."""
    User.objects.create(username="made-by-a-plan")


def remove_person(connection):
    connection.execute("DELETE FROM accounts_user WHERE username = 'made-by-a-plan'")


def fail_after_work(connection):
    add_person(connection)
    raise PlanError("no")


PERSON = RunPython(add_person, remove_person)


def people():
    return list(User.objects.values_list("username", flat=True))


def test_models_and_the_record_share_one_transaction(orchard_world, state, key):
    after = PERSON.state_forwards(key, state)
    for _ in range(2):
        PERSON.forwards(orchard_world, state, after)
    assert people() == ["made-by-a-plan"]
    for _ in range(2):
        PERSON.backwards(orchard_world, state, after)
    assert people() == []


def test_what_the_models_did_goes_with_the_record_when_the_function_raises(orchard_world, state, key):
    fails = RunPython(fail_after_work, RunPython.nothing)
    with pytest.raises(PlanError, match=r"^no$"):
        fails.forwards(orchard_world, state, fails.state_forwards(key, state))
    assert people() == []
    with orchard.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM strangler.runs")
        assert cursor.fetchone() == (0,)


def test_in_the_services_database_it_gets_a_connection_there(world, state, key, target):
    def make(connection):
        connection.execute("CREATE TABLE note (n int)")

    def unmake(connection):
        connection.execute("DROP TABLE note")

    operation = RunPython(make, unmake, database="service")
    after = operation.state_forwards(key, state)
    operation.forwards(world, state, after)
    operation.forwards(world, state, after)
    assert target.execute("SELECT to_regclass('note')").fetchone() == ("note",)
    operation.backwards(world, state, after)
    assert target.execute("SELECT to_regclass('note')").fetchone() == (None,)
