"""The fence as Django code meets it. A real trigger refuses; the test client goes through the real middleware."""

import smtplib
import socket

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.http import HttpResponse
from django.test import RequestFactory

from monolith.catalog.models import Category
from strangler.middleware import StranglerMiddleware
from strangler.refusal import MoveRefused, Refusal, note_emission, refusal_of, watching
from strangler.split import MoveSpec, Side, installation
from strangler.split.layout import Layout, Pair
from strangler.split.store import Database

pytestmark = pytest.mark.django_db(transaction=True)

FENCE = """
    CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION USING ERRCODE = 'SF001', MESSAGE = 'owned elsewhere',
            DETAIL = '{"move": "0001_reviews", "term": 7}';
    END $$;
    CREATE TABLE fenced (id bigint);
    CREATE TRIGGER fence BEFORE INSERT ON fenced FOR EACH STATEMENT EXECUTE FUNCTION test_refuse();
"""


@pytest.fixture
def fenced():
    with connection.cursor() as cursor:
        cursor.execute(FENCE)
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE fenced; DROP FUNCTION test_refuse")


def write_past_the_fence():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO fenced VALUES (1)")


def ask(view, *, atomic=True):
    """The answer that a client gets for a view, run as ATOMIC_REQUESTS would."""

    def answer(request):
        try:
            with transaction.atomic() if atomic else _nothing():
                return view(request)
        except Exception as error:
            response = middleware.process_exception(request, error)
            if response is None:
                raise
            return response

    middleware = StranglerMiddleware(answer)
    return middleware(RequestFactory().post("/anything/"))


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_a_refused_write_is_a_typed_error_with_move_and_term(fenced):
    with pytest.raises(MoveRefused) as refused:
        write_past_the_fence()
    assert refused.value.refusal == Refusal(move="0001_reviews", term=7)
    assert refusal_of(refused.value) == refused.value.refusal
    assert refusal_of(ValueError("something else")) is None


def test_a_refused_request_that_did_nothing_may_be_replayed(fenced):
    response = ask(lambda request: write_past_the_fence())
    assert response.status_code == 503
    assert response["Retry-After"] == "1"
    assert response["Strangler-Refused"] == "move=0001_reviews; term=7; replay=1"


def test_writes_that_are_rolled_back_do_not_hinder_a_replay(fenced):
    def view(request):
        Category.objects.create(name="gone", slug="gone")
        write_past_the_fence()

    assert ask(view)["Strangler-Refused"].endswith("replay=1")
    assert not Category.objects.exists()


def test_a_write_that_was_committed_before_forbids_the_replay(fenced):
    def view(request):
        Category.objects.create(name="kept", slug="kept")
        write_past_the_fence()

    assert ask(view, atomic=False)["Strangler-Refused"].endswith("replay=0")
    assert Category.objects.count() == 1


def test_a_block_that_was_committed_before_forbids_the_replay(fenced):
    def view(request):
        with transaction.atomic():
            Category.objects.create(name="kept", slug="kept")
        write_past_the_fence()

    assert ask(view, atomic=False)["Strangler-Refused"].endswith("replay=0")


def test_a_swallowed_refusal_dooms_the_whole_transaction(fenced):
    def view(request):
        Category.objects.create(name="half", slug="half")
        try:
            with transaction.atomic():
                write_past_the_fence()
        except MoveRefused:
            pass
        return HttpResponse("all is well")

    response = ask(view)
    assert response.status_code == 503
    assert response["Strangler-Refused"].endswith("replay=1")
    assert not Category.objects.exists()


def test_a_task_that_was_published_forbids_the_replay(fenced):
    from celery.signals import before_task_publish

    def view(request):
        before_task_publish.send(sender="some.task", body={}, headers={})
        write_past_the_fence()

    assert ask(view)["Strangler-Refused"].endswith("replay=0")


def test_a_new_connection_to_somebody_forbids_the_replay(fenced):
    with socket.create_server(("127.0.0.1", 0)) as mail:

        def view(request):
            with pytest.raises((smtplib.SMTPException, OSError)):
                smtplib.SMTP("127.0.0.1", mail.getsockname()[1], timeout=0.1)
            write_past_the_fence()

        assert ask(view)["Strangler-Refused"].endswith("replay=0")


def test_a_noted_emission_forbids_the_replay(fenced):
    def view(request):
        note_emission()
        write_past_the_fence()

    assert ask(view)["Strangler-Refused"].endswith("replay=0")


def test_requests_that_meet_no_fence_are_left_alone():
    response = ask(lambda request: HttpResponse("fine"))
    assert (response.status_code, response.content) == (200, b"fine")
    with pytest.raises(ZeroDivisionError):
        ask(lambda request: 1 / 0)


def test_what_is_noted_outside_of_a_request_reaches_no_request():
    note_emission()
    with watching() as watch:
        assert watch.repeatable


@pytest.fixture
def sqlite_file(tmp_path):
    """A SQLite connection of Django's, whose table "fenced" belongs to a move that is owned elsewhere."""
    path = tmp_path / "fenced.sqlite3"
    settings = {**connections["default"].settings_dict, "ENGINE": "django.db.backends.sqlite3", "NAME": str(path)}
    wrapper = DatabaseWrapper({**settings, "OPTIONS": {}}, alias="fenced")
    connections["fenced"] = wrapper
    with wrapper.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("CREATE TABLE fenced (id integer PRIMARY KEY)")
        cursor.execute("CREATE TABLE free (id integer PRIMARY KEY)")
    spec = MoveSpec(name="0001_reviews", moved=("fenced",))
    with Database(name="target", dsn=f"sqlite://{path}").connect() as store:
        table = store.describe("fenced")
        pair = Pair(moved=True, source=table, target=table)
        installation.install(store, spec, Layout(pairs=(pair,)), Side.TARGET)
        store.execute("UPDATE strangler.ownership SET term = 7")
    yield wrapper
    wrapper.close()
    del connections["fenced"]


def write_in_sqlite(table):
    with connections["fenced"].cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} DEFAULT VALUES")


def test_a_write_refused_by_sqlite_is_the_same_typed_error(sqlite_file):
    with pytest.raises(MoveRefused) as refused:
        write_in_sqlite("fenced")
    assert refused.value.refusal == Refusal(move="0001_reviews", term=7)
    assert refusal_of(refused.value.__cause__) == Refusal(move="0001_reviews", term=0)


def test_another_error_of_sqlite_is_no_refusal(sqlite_file):
    with pytest.raises(OperationalError) as error:
        write_in_sqlite("missing")
    assert not isinstance(error.value, MoveRefused)


def test_a_request_refused_by_sqlite_may_be_replayed_if_all_of_it_is_rolled_back(sqlite_file):
    def view(request):
        with transaction.atomic(using="fenced"):
            write_in_sqlite("free")
            write_in_sqlite("fenced")

    assert ask(view)["Strangler-Refused"] == "move=0001_reviews; term=7; replay=1"


def test_a_request_refused_by_sqlite_after_a_commit_is_not_replayed(sqlite_file):
    def view(request):
        with transaction.atomic(using="fenced"):
            write_in_sqlite("free")
        write_in_sqlite("fenced")

    assert ask(view)["Strangler-Refused"].endswith("term=7; replay=0")
