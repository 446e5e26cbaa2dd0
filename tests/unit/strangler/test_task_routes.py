import time
from importlib import resources

import pytest
from celery import Celery
from django.db import connection, transaction

from strangler import task_routes


@pytest.fixture(autouse=True)
def forgetful():
    task_routes.forget()
    yield
    task_routes.forget()


@pytest.fixture
def table(db):
    with connection.cursor() as cursor:
        cursor.execute(resources.files("strangler.split.postgres").joinpath("plans.sql").read_text(encoding="utf-8"))


def move(task, queue):
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO strangler.task_routes VALUES (%s, '0001_a', %s, 'celery')", [task, queue])


@pytest.mark.django_db
def test_without_the_table_no_task_has_moved():
    assert task_routes.route("shop.work") is None


def test_a_moved_task_goes_to_its_queue_and_others_go_where_they_went(table):
    move("shop.work", "service")
    assert task_routes.route("shop.work", (), {}, {}, task=None) == {"queue": "service"}
    assert task_routes.route("shop.play") is None


def test_celery_asks_it_by_its_dotted_path(table):
    app = Celery("shop", set_as_current=False)
    app.conf.task_routes = ["strangler.task_routes.route", {"shop.*": "own"}]
    move("shop.work", "service")
    assert app.amqp.router.route({}, "shop.work")["queue"].name == "service"
    assert app.amqp.router.route({}, "shop.play")["queue"].name == "own"


def test_an_answer_is_kept_for_a_second_at_most(table, django_assert_num_queries):
    task_routes.route("shop.work")
    move("shop.work", "service")
    with django_assert_num_queries(0):
        assert task_routes.route("shop.work") is None
    task_routes.forget()
    assert task_routes.route("shop.work") == {"queue": "service"}


def test_in_a_broken_transaction_the_last_answer_holds(table):
    move("shop.work", "service")
    task_routes.route("shop.work")
    time.sleep(task_routes.KEPT_SECONDS + 0.05)
    with transaction.atomic():
        transaction.set_rollback(True)
        assert task_routes.route("shop.work") == {"queue": "service"}


def test_where_the_database_does_not_answer_the_last_answer_holds(table, caplog):
    move("shop.work", "service")
    task_routes.route("shop.work")
    time.sleep(task_routes.KEPT_SECONDS + 0.05)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE strangler.task_routes RENAME COLUMN queue TO other")
        assert task_routes.route("shop.work") == {"queue": "service"}
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'the transaction goes on'")
        transaction.set_rollback(True)
    assert "may be stale" in caplog.text
