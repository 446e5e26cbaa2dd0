import pytest
from django.db import connection
from reviews_service.reviews.models import Review

REVIEW = {"product": 1, "rating": 5, "title": "Crisp"}
FENCE = """
    CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION USING ERRCODE = 'SF001', MESSAGE = 'owned elsewhere',
            DETAIL = '{"move": "0001_reviews", "term": 7}';
    END $$;
    CREATE TRIGGER test_fence BEFORE INSERT OR UPDATE OR DELETE ON reviews_review
        FOR EACH STATEMENT EXECUTE FUNCTION test_refuse();
"""


@pytest.fixture
def fenced(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute(FENCE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_fence ON reviews_review; DROP FUNCTION test_refuse")


def test_a_refused_write_may_be_sent_again_elsewhere(fenced, shop, caller):
    answer = caller().post("/api/reviews/", REVIEW)
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert answer["Strangler-Refused"] == "move=0001_reviews; term=7; replay=1"
    assert not Review.objects.exists()


def test_reads_go_on_behind_the_fence(fenced, shop, caller):
    assert caller().get("/api/reviews/").status_code == 200


def test_a_write_to_a_move_that_is_owned_elsewhere_is_refused_before_the_view_reads(shop, caller):
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA strangler")
        cursor.execute("CREATE TABLE strangler.ownership (move text, owns boolean, term bigint)")
        cursor.execute("INSERT INTO strangler.ownership VALUES ('0001_reviews', false, 4)")
    client = caller()
    assert client.patch("/api/reviews/12/", {}).status_code == 404
    answer = client.patch("/api/reviews/12/", {}, HTTP_STRANGLER_MOVE="0001_reviews")
    assert answer["Strangler-Refused"] == "move=0001_reviews; term=4; replay=1"
    with connection.cursor() as cursor:
        cursor.execute("UPDATE strangler.ownership SET owns = true")
    assert client.patch("/api/reviews/12/", {}, HTTP_STRANGLER_MOVE="0001_reviews").status_code == 404
