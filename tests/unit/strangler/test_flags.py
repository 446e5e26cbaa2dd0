"""The flag that a monolith's branch by abstraction asks."""

import pytest
from django.db import connection

from strangler import flags

pytestmark = pytest.mark.django_db


def test_nothing_has_moved_where_the_toolkit_set_up_nothing():
    assert flags.moved("reviews") is False


@pytest.mark.parametrize(("owns", "moved"), [(True, False), (False, True)])
def test_the_flag_follows_the_ownership_row(owns, moved):
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA strangler; CREATE TABLE strangler.ownership (move text, owns boolean)")
        cursor.execute("INSERT INTO strangler.ownership VALUES ('0001_reviews', %s)", [owns])
    assert flags.moved("reviews") is moved
    assert flags.moved("views") is False
