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
