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
        cursor.execute(
            "CREATE SCHEMA strangler; CREATE TABLE strangler.ownership (move text, owns boolean, term bigint)"
        )
        cursor.execute("INSERT INTO strangler.ownership VALUES ('0001_reviews', %s, 4)", [owns])
    assert flags.moved("reviews") is moved
    assert flags.moved("views") is False
    assert flags.term_elsewhere("0001_reviews") == (4 if moved else None)


def test_a_write_to_a_move_that_is_owned_elsewhere_is_refused_before_the_view_reads(client):
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE SCHEMA strangler; CREATE TABLE strangler.ownership (move text, owns boolean, term bigint)"
        )
        cursor.execute("INSERT INTO strangler.ownership VALUES ('0001_reviews', false, 4)")
    answer = client.delete("/api/reviews/12/", headers={"Strangler-Move": "0001_reviews"})
    assert (answer.status_code, answer["Strangler-Refused"]) == (503, "move=0001_reviews; term=4; replay=1")
    assert client.delete("/api/reviews/12/").status_code == 403
