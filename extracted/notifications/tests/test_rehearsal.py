"""Writes that are rehearsed: in a database with the toolkit's own fence and functions, which another one owns."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import MOVE
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from kombu import Connection, Producer
from notifications_service import outward
from notifications_service.notifications import ses
from notifications_service.notifications.models import Mail, Preference
from notifications_service.rehearsal import RehearsalMiddleware

POSTGRES = Path(__file__).parents[3] / "strangler" / "split" / "postgres"
PATH = "/api/notifications/preferences/"
HEADERS = {"Strangler-Rehearsal": MOVE, "Strangler-Rehearsal-Token": "s3cret"}
FENCED = f"""
    INSERT INTO strangler.ownership VALUES ('{MOVE}', 'target', 1, false, 3, false, 0, 0);
    INSERT INTO strangler.streams (move, batch) VALUES ('{MOVE}', 7);
    INSERT INTO strangler.claims VALUES ('public.notifications_preference', '{MOVE}', 'moved', 1);
    CREATE TRIGGER strangler_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON notifications_preference
        FOR EACH STATEMENT EXECUTE FUNCTION strangler.refuse('{MOVE}', 'moved');
    ALTER TABLE notifications_preference ENABLE ALWAYS TRIGGER strangler_fence;
    CREATE FUNCTION test_capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO strangler.changes (move, name, key) VALUES ('{MOVE}', TG_TABLE_NAME,
            jsonb_build_array(CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END)::text);
        RETURN NULL;
    END $$;
    CREATE TRIGGER test_capture AFTER INSERT OR UPDATE OR DELETE ON notifications_preference
        FOR EACH ROW EXECUTE FUNCTION test_capture();
"""


@pytest.fixture
def rehearsing(transactional_db, settings):
    settings.REHEARSAL_TOKEN = "s3cret"
    Preference.objects.create(user_id=8, mail=True)
    with connection.cursor() as cursor:
        for name in ("schema.sql", "rehearsal.sql"):
            cursor.execute((POSTGRES / name).read_text())
        cursor.execute(FENCED)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER test_capture ON notifications_preference; DROP FUNCTION test_capture")
        cursor.execute("DROP SCHEMA strangler CASCADE")


def told(answer):
    return json.loads(answer["Strangler-Effects"])


def test_a_write_that_another_database_owns_is_rehearsed_and_never_happens(rehearsing, caller):
    answer = caller(8).put(PATH, {"mail": False}, headers=HEADERS)
    assert (answer.status_code, answer.json()) == (200, {"mail": False})
    (row,) = told(answer)["rows"]
    assert (row["table"], row["key"], row["row"]["mail"]) == ("notifications_preference", [8], False)
    assert (told(answer)["before"], told(answer)["after"], told(answer)["blocked"]) == (7, 7, [])
    assert Preference.objects.get().mail
    assert caller(8).put(PATH, {"mail": False}).status_code == 503


def test_only_the_proxy_may_ask(rehearsing, caller, settings):
    for headers in ({**HEADERS, "Strangler-Rehearsal-Token": "other"}, {"Strangler-Rehearsal": MOVE}):
        assert caller(8).put(PATH, {"mail": False}, headers=headers).status_code == 404
    settings.REHEARSAL_TOKEN = ""
    assert caller(8).put(PATH, {"mail": False}, headers=HEADERS).status_code == 404


def rehearse(view):
    request = RequestFactory().post("/", headers=HEADERS)
    return RehearsalMiddleware(lambda request: view() or HttpResponse())(request)


def by_hand():
    Preference.objects.update(mail=False)
    with connection.cursor() as cursor:
        cursor.execute("COMMIT")


def durably():
    with transaction.atomic(durable=True):
        Preference.objects.update(mail=False)


def by_the_connection():
    Preference.objects.update(mail=False)
    connection.commit()


@pytest.mark.parametrize("view", [by_hand, durably, by_the_connection])
def test_a_view_that_commits_by_itself_commits_nothing(rehearsing, view):
    with suppress(PermissionError, RuntimeError, DatabaseError):
        assert rehearse(view).status_code == 503
    assert Preference.objects.get().mail


def send_a_mail():
    ses.send(Mail(pk=1, recipient="a@example.org", attempts=1))


def enqueue_a_task():
    outward.watch()
    with Connection("memory://") as broker:
        Producer(broker).publish({})


@pytest.mark.parametrize(("emit", "what"), [(send_a_mail, "socket.connect"), (enqueue_a_task, "Producer.publish")])
def test_neither_mail_nor_task_leaves_the_process(rehearsing, aws, emit, what):
    def view():
        with suppress(OSError, ses.Unclear, ses.NotTaken):
            emit()

    assert what in told(rehearse(view))["blocked"]
    assert aws.journal == []


def test_it_is_announced_only_where_it_is_possible(rehearsing, client, settings):
    assert client.get("/health/rehearsal/").status_code == 200
    settings.REHEARSAL_TOKEN = ""
    answer = client.get("/health/rehearsal/")
    assert (answer.status_code, answer.json()["reason"]) == (503, "NOTIFICATIONS_REHEARSAL_TOKEN is not set")
