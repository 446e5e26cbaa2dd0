"""A task belongs to the trace of whoever enqueued it, also behind a broker, and when it is tried again."""

import json
import logging

import pytest
from celery import Celery
from celery.worker.request import Request

from monolith import tracing
from monolith.logs import JsonFormatter
from monolith.tasks import RetryingTask

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{TRACE}-00f067aa0ba902b7-01"


@pytest.fixture
def app():
    """An application with a broker in memory, and what its tasks found their trace to be."""
    made = Celery("test", broker="memory://", set_as_current=False)
    made.conf.task_ignore_result = True
    made.seen = []
    yield made
    made.close()


def task(app, *fails):
    """A task that fails so often, with what passes."""
    failures = list(fails)

    @app.task(name="test.look", base=RetryingTask, shared=False)
    def look():
        app.seen.append(tracing.current().split("-")[1])
        if failures:
            raise failures.pop(0)

    return look


def work(app):
    """Do what waits in the queue, as a worker does; the number of tasks."""
    done = 0
    with app.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
        while queue.qsize():
            message = queue.get(timeout=1)
            message.ack()
            Request(message, app=app).execute()
            done += 1
    return done


def test_a_task_continues_the_trace_in_which_it_was_enqueued(app, caplog):
    look = task(app)
    with tracing.continuing(GIVEN):
        look.delay()
    caplog.set_level(logging.INFO)
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(json.loads(JsonFormatter().format(record)))
    logging.getLogger("monolith.tasks").addHandler(handler)
    try:
        assert work(app) == 1
    finally:
        logging.getLogger("monolith.tasks").removeHandler(handler)
    assert app.seen == [TRACE]
    assert [(one["task"], one["state"], one["traceparent"][3:35]) for one in told] == [("test.look", "done", TRACE)]


def test_a_task_that_is_tried_again_stays_in_its_trace(app):
    look = task(app, ConnectionError("away"))
    with tracing.continuing(GIVEN):
        look.delay()
    assert work(app) + work(app) == 2
    assert app.seen == [TRACE, TRACE]


def test_a_task_of_nobodys_begins_a_trace(app):
    look = task(app)
    look.delay()
    look.delay()
    work(app)
    assert len(set(app.seen)) == 2


def test_a_task_that_is_called_by_another_one_is_a_part_of_it(app):
    look = task(app)
    with tracing.continuing(GIVEN):
        look()
    assert app.seen == [TRACE]
