"""Writes that are rehearsed: in a database with the toolkit's own fence and functions, which another one owns."""

import json
import smtplib
import socket
import threading
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from django.core.mail import send_mail
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from reviews_service import outward
from reviews_service.rehearsal import RehearsalMiddleware
from reviews_service.reviews.models import Review

REVIEW = {"product": 1, "rating": 5, "title": "Crisp"}
POSTGRES = Path(__file__).parents[3] / "strangler" / "split" / "postgres"
FENCED = """
    INSERT INTO strangler.ownership VALUES ('0001_reviews', 'target', 1, false, 3, false, 0, 0);
    INSERT INTO strangler.streams (move, batch) VALUES ('0001_reviews', 7);
    INSERT INTO strangler.claims VALUES ('public.reviews_review', '0001_reviews', 'moved', 1),
        ('public.reviews_vote', '0001_reviews', 'moved', 2);
    CREATE TRIGGER strangler_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON reviews_review
        FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse('0001_reviews', 'moved');
    ALTER TABLE reviews_review ENABLE ALWAYS TRIGGER strangler_fence;
    CREATE FUNCTION test_capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO strangler.changes (move, name, key) VALUES ('0001_reviews', TG_TABLE_NAME,
            jsonb_build_array(CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END)::text);
        RETURN NULL;
    END $$;
    CREATE TRIGGER test_capture AFTER INSERT OR UPDATE OR DELETE ON reviews_review
        FOR EACH ROW EXECUTE FUNCTION test_capture();
"""
HEADERS = {"Strangler-Rehearsal": "0001_reviews", "Strangler-Rehearsal-Token": "s3cret"}


@pytest.fixture
def fenced(transactional_db, shop, settings):
    settings.REHEARSAL_TOKEN = "s3cret"
    with connection.cursor() as cursor:
        for name in ("schema.sql", "rehearsal.sql"):
            cursor.execute((POSTGRES / name).read_text())
        cursor.execute(
            "INSERT INTO reviews_review (reference, product_id, author_id, rating, title, body, status, "
            "created_at, updated_at) VALUES (gen_random_uuid(), 2, 8, 3, 'old', '', 'published', now(), now())"
        )
        cursor.execute(FENCED)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA strangler CASCADE")


def told(answer):
    return json.loads(answer["Strangler-Effects"])


def test_a_write_that_another_database_owns_is_rehearsed_and_never_happens(fenced, caller):
    answer = caller().post("/api/reviews/", REVIEW, headers=HEADERS)
    assert (answer.status_code, answer.json()["title"]) == (201, "Crisp")
    effects = told(answer)
    (row,) = effects["rows"]
    assert (row["table"], row["key"], row["generated"]) == ("reviews_review", [answer.json()["id"]], ["id"])
    assert (row["row"]["rating"], row["row"]["author_id"]) == (5, 7)
    assert (effects["before"], effects["after"], effects["unsaid"], effects["blocked"]) == (7, 7, False, [])
    assert Review.objects.count() == 1
    assert caller().post("/api/reviews/", REVIEW).status_code == 503


def test_a_refused_write_is_rehearsed_as_one(fenced, caller):
    answer = caller().post("/api/reviews/", {**REVIEW, "rating": 9}, headers=HEADERS)
    assert (answer.status_code, told(answer)["rows"]) == (400, [])
    caller(8).post("/api/reviews/", {**REVIEW, "product": 2}, headers=HEADERS)
    again = caller(8).post("/api/reviews/", {**REVIEW, "product": 2}, headers=HEADERS)
    assert (again.status_code, told(again)["rows"]) == (409, [])


def test_only_the_proxy_may_ask(fenced, caller, settings):
    for headers in ({**HEADERS, "Strangler-Rehearsal-Token": "other"}, {"Strangler-Rehearsal": "0001_reviews"}):
        answer = caller().post("/api/reviews/", REVIEW, headers=headers)
        assert (answer.status_code, "Strangler-Effects" in answer) == (404, False)
    settings.REHEARSAL_TOKEN = ""
    assert caller().post("/api/reviews/", REVIEW, headers=HEADERS).status_code == 404


def test_what_this_database_owns_is_not_rehearsed(fenced, caller):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE strangler.ownership SET owns = true")
    answer = caller().post("/api/reviews/", REVIEW, headers=HEADERS)
    assert (answer.status_code, "Strangler-Effects" in answer) == (503, False)
    assert Review.objects.count() == 1


def rehearse(view):
    request = RequestFactory().post("/", headers=HEADERS)
    middleware = RehearsalMiddleware(lambda request: view() or HttpResponse())
    return middleware(request)


def change():
    Review.objects.update(title="changed")


def by_hand(statement):
    def view():
        change()
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return view


def durably():
    with transaction.atomic(durable=True):
        change()


def by_the_connection():
    change()
    connection.commit()


@pytest.mark.parametrize(
    "view",
    [by_hand("COMMIT"), by_hand("  end;"), by_hand("PREPARE TRANSACTION 'x'"), durably, by_the_connection],
    ids=["commit", "end", "prepare", "durable", "connection"],
)
def test_a_view_that_commits_by_itself_commits_nothing(fenced, view):
    try:
        answer = rehearse(view)
    except (PermissionError, RuntimeError, DatabaseError):
        pass  # as a view's own error, of which Django makes a 500
    else:
        assert (answer.status_code, "Strangler-Effects" in answer) == (503, False)
    assert not Review.objects.filter(title="changed").exists()


def test_what_is_to_run_after_the_commit_never_runs(fenced):
    ran = []
    rehearse(lambda: (transaction.on_commit(lambda: ran.append(1)), None)[1])
    assert ran == []


def connect():
    socket.create_connection(("127.0.0.1", 1), timeout=1)


def publish():
    kombu, messaging = pytest.importorskip("kombu"), pytest.importorskip("kombu.messaging")
    outward.watch()
    with kombu.Connection("memory://") as broker:
        messaging.Producer(broker).publish({})


@pytest.mark.parametrize(
    ("emit", "what"),
    [
        (lambda: send_mail("a", "b", "c@example.org", ["d@example.org"]), "EmailMessage.send"),
        (connect, "socket.connect"),
        (lambda: urllib.request.urlopen("http://127.0.0.1:1/"), "socket.connect"),
        (lambda: smtplib.SMTP("127.0.0.1", 1), "socket.connect"),
        (lambda: threading.Thread(target=print).start(), "Thread.start"),
        (publish, "Producer.publish"),
    ],
    ids=["mail", "socket", "http", "smtp", "thread", "task"],
)
def test_nothing_leaves_the_process_even_where_the_code_does_not_mind(fenced, emit, what):
    def view():
        with suppress(OSError):
            emit()

    assert told(rehearse(view))["blocked"] == [what]
    if what == "Thread.start":
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()


@pytest.mark.parametrize(("state", "noted"), [("55P03", ["waiting for others"]), ("22000", [])])
def test_a_lock_that_the_owner_has_not_met_makes_it_incomparable(fenced, state, noted):
    def view():
        with suppress(DatabaseError), transaction.atomic():
            by_hand(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{state}'; END $$")()

    assert told(rehearse(view))["blocked"] == noted


def test_one_that_would_wait_for_another_is_given_up_soon(fenced, caller):
    given = {name: connection.get_connection_params()[name] for name in ("dbname", "user", "password", "host", "port")}
    with psycopg.connect(**given) as other:
        other.execute("SELECT strangler.begin_rehearsal('0001_reviews')")
        answer = caller().post("/api/reviews/", REVIEW, headers=HEADERS)
        other.rollback()
    assert (answer.status_code, "lock timeout" in answer.json()["detail"]) == (503, True)


def test_it_is_announced_only_where_it_is_possible(fenced, client, settings):
    def said():
        answer = client.get("/health/rehearsal/")
        return answer.status_code, answer.json().get("reason", "")

    assert said() == (200, "")
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION strangler.begin_rehearsal(text) RENAME TO gone")
    assert said() == (503, "the database has no strangler.begin_rehearsal; create the move with this toolkit")
    settings.REHEARSAL_TOKEN = ""
    assert said() == (503, "REVIEWS_REHEARSAL_TOKEN is not set")
