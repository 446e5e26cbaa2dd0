import threading
import time

import psycopg
import pytest
from django.db import connection

from strangler.plans.django_migrations import DjangoMigrations
from strangler.plans.errors import PlanError

CUT = ("reviews", "0002_cut_foreign_keys")
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrations():
    yield DjangoMigrations()
    DjangoMigrations().apply(*CUT)


def constraints():
    """The foreign keys that the database itself enforces on the reviews."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "reviews_review")
    return sorted(c["columns"][0] for c in found.values() if c["foreign_key"])


def test_the_cut_takes_the_constraints_and_undoing_it_puts_them_back(migrations):
    migrations.unapply(*CUT)
    assert constraints() == ["author_id", "product_id"]
    assert not migrations.is_applied(*CUT)
    migrations.apply(*CUT)
    assert constraints() == []
    assert migrations.is_applied(*CUT)


def test_the_sql_is_shown_without_running_it(migrations):
    migrations.unapply(*CUT)
    assert any("DROP CONSTRAINT" in line for line in migrations.sql(*CUT))
    assert not migrations.is_applied(*CUT)
    assert any("ADD CONSTRAINT" in line for line in migrations.sql(*CUT, undo=True))


def test_a_migration_with_others_on_top_is_not_undone(migrations):
    with pytest.raises(PlanError, match=r'"reviews.0001_initial" cannot be undone under "reviews.0002'):
        migrations.unapply("reviews", "0001_initial")


def test_an_unknown_migration_is_one_sentence(migrations):
    with pytest.raises(PlanError, match='app "reviews" has no migration "0007_gone"; write it with'):
        migrations.is_applied("reviews", "0007_gone")


def test_tables_that_are_always_in_use_are_named_with_what_to_do(migrations):
    server = connection.get_connection_params()
    with psycopg.connect(**{name: server[name] for name in ("host", "port", "user", "password", "dbname")}) as shop:
        shop.execute("SELECT count(*) FROM reviews_review")
        with pytest.raises(PlanError, match="in use each of the 1 times that they were asked for; look for long"):
            DjangoMigrations(attempts=1).unapply(*CUT)
    assert migrations.is_applied(*CUT)


def test_a_cut_comes_through_between_requests_and_costs_none_of_them(migrations):
    """Requests that hold the tables for 200 ms, in either order, one after the other without a pause."""
    stop, errors, done = threading.Event(), [], []
    server = connection.get_connection_params()
    given = {name: server[name] for name in ("host", "port", "user", "password", "dbname")}

    def request(first, second):
        with psycopg.connect(**given) as shop:
            while not stop.is_set():
                try:
                    shop.execute(f"SELECT count(*) FROM {first}")
                    time.sleep(0.1)
                    shop.execute(f"SELECT count(*) FROM {second}")
                    time.sleep(0.1)
                    shop.commit()
                    done.append(first)
                except psycopg.Error as error:
                    errors.append(str(error))
                    return

    orders = [("accounts_user", "catalog_product"), ("catalog_product", "reviews_review")] * 3
    requests = [threading.Thread(target=request, args=order) for order in orders]
    for thread in requests:
        thread.start()
    try:
        migrations.unapply(*CUT)
        migrations.apply(*CUT)
    finally:
        stop.set()
        for thread in requests:
            thread.join(timeout=20)
    assert errors == []
    assert len(done) > 10
    assert constraints() == []
