"""Two consumers of one broker, the monolith's and the service's, and a task that goes from one to the other."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis
from celery import Celery

from strangler import task_routes
from strangler.plans.errors import PlanError
from strangler.plans.operations import MoveTask
from strangler.plans.tasks import CeleryTasks
from tests.integration.plans.operations.brokers import wait_until

MOVE = MoveTask("shop.work", queue="service", app="shop.app", patience=20)
WORKER = """
import os, time
from celery import Celery

app = Celery("shop", broker=os.environ["BROKER"])
app.conf.update(task_acks_late=True, worker_prefetch_multiplier=4, task_ignore_result=True)

@app.task(name="shop.work")
def work(number, seconds):
    client = app.broker_connection().default_channel.client
    time.sleep(seconds or 0)
    while seconds is None and not client.exists("released"):
        time.sleep(0.05)
    client.rpush("done-by-" + os.environ["WHO"], number)
"""


@pytest.fixture
def client(broker):
    with redis.Redis.from_url(broker) as client:
        client.flushall()
        yield client


@pytest.fixture
def app(broker, client):
    """The application as the monolith's processes have it."""
    app = Celery("shop", broker=broker, set_as_current=False)
    app.conf.update(task_acks_late=True, task_routes=[f"{task_routes.__name__}.route"], task_ignore_result=True)

    @app.task(name="shop.work", shared=False)
    def work(number, seconds):
        raise AssertionError("only workers run it")

    @app.task(name="shop.unknown", shared=False)
    def unknown():
        raise AssertionError("nobody runs it")

    yield app
    app.close()


@pytest.fixture
def shop(orchard_world, app):
    task_routes.forget()
    yield replace(orchard_world, tasks=lambda path: CeleryTasks(app=app, name=path))
    task_routes.forget()


@contextmanager
def worker(broker, directory, who, queue):
    (directory / "consumer.py").write_text(WORKER)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "celery", "-A", "consumer", "worker", "-Q", queue, "-n", f"{who}@test"),
            *("--pool", "threads", "--concurrency", "1", "--without-gossip", "--without-mingle", "--loglevel", "ERROR"),
        ],
        cwd=directory,
        env={**os.environ, "BROKER": broker, "WHO": who, "PYTHONPATH": str(directory), "DJANGO_SETTINGS_MODULE": ""},
    )
    try:
        asked = Celery("asked", broker=broker, set_as_current=False)
        wait_until(lambda: asked.control.ping(destination=[f"{who}@test"], timeout=0.5))
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def workers(broker, tmp_path):
    with worker(broker, tmp_path, "monolith", "celery"), worker(broker, tmp_path, "service", "service"):
        yield


def done(client, who):
    return [int(number) for number in client.lrange(f"done-by-{who}", 0, -1)]


def send(app, number, seconds=0.0):
    """A message whose task takes so long; None: until it is released."""
    app.tasks["shop.work"].delay(number, seconds)


def test_new_messages_go_to_the_service_and_the_old_ones_are_waited_for(shop, state, key, app, client, workers):
    for number in range(6):
        send(app, number, 0.5)
    after = MOVE.state_forwards(key, state)
    MOVE.forwards(shop, state, after)
    assert done(client, "monolith") == list(range(6))
    send(app, 6)
    wait_until(lambda: done(client, "service") == [6])
    MOVE.forwards(shop, state, after)

    send(app, 7, 1.0)
    MOVE.backwards(shop, state, after)
    assert done(client, "service") == [6, 7]
    task_routes.forget()
    send(app, 8)
    wait_until(lambda: done(client, "monolith") == [*range(6), 8])


def test_while_the_old_consumer_holds_messages_the_move_is_not_done(shop, state, key, app, client, workers, events):
    for number in range(3):
        send(app, number, None)
    after = MOVE.state_forwards(key, state)
    with pytest.raises(PlanError, match=r'queue "celery" or its consumer still holds messages of task "shop.work"'):
        replace(MOVE, patience=0).forwards(shop, state, after)
    # The route has changed, and a second run waits for the rest.
    client.set("released", 1)
    MOVE.forwards(shop, state, after)
    assert done(client, "monolith") == [0, 1, 2]
    assert events[-1] == ("step", {"step": "worked off", "queue": "celery"})


def test_messages_that_a_dead_worker_took_are_still_held(shop, state, key, app, client, broker, tmp_path):
    with worker(broker, tmp_path, "service", "service"), worker(broker, tmp_path, "monolith", "celery") as old:
        send(app, 1, 60)
        wait_until(lambda: client.hlen("unacked") == 1)
        old.kill()
        old.wait()
        with pytest.raises(PlanError, match="1 taken"):
            replace(MOVE, patience=0).forwards(shop, state, MOVE.state_forwards(key, state))


def test_what_is_not_fit_is_refused_before_the_first_effect(shop, state, key, app, broker, tmp_path):
    after = MOVE.state_forwards(key, state)

    def refused(match, operation=MOVE):
        with pytest.raises(PlanError, match=match):
            operation.forwards(shop, state, after)

    refused('has no task "shop.play"', replace(MOVE, task="shop.play"))
    with worker(broker, tmp_path, "itself", "celery"):
        refused('task "shop.work" is sent to queue "celery" already; name the service', replace(MOVE, queue="celery"))
    refused('no worker consumes queue "service"')
    app.conf.beat_schedule = {"often": {"task": "shop.work", "schedule": 1, "options": {"queue": "celery"}}}
    refused('the schedule "often" names a queue')
    app.conf.beat_schedule = {}
    work = app.tasks["shop.work"]
    work.acks_late = False
    refused(r'task "shop.work" is acknowledged before it runs.*set its acks_late to True')
    work.acks_late, work.queue = True, "celery"
    refused("names its queue itself")
    work.queue = None
    with worker(broker, tmp_path, "everybody", "celery,service"):
        refused('worker "everybody@test" consumes both queues')
    assert any("would be refused now: no worker consumes" in line for line in MOVE.effects(shop, state, after))
    with pytest.raises(PlanError, match="does not know task"), worker(broker, tmp_path, "service", "service"):
        replace(MOVE, task="shop.unknown").forwards(shop, state, after)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('strangler')")
        assert cursor.fetchone() == (None,)


def test_a_task_that_another_plan_has_moved_is_refused(shop, state, key, app):
    with shop.databases.connect("monolith") as store:
        store.create_plan_tables(shop.databases.user("monolith"))
        row = ("shop.work", "0000_other", "other", "celery")
        store.execute("INSERT INTO strangler.task_routes (task, plan, queue, was) VALUES (%s, %s, %s, %s)", row)
    with pytest.raises(PlanError, match=r'task "shop.work" was moved by plan "0000_other"; undo that one first'):
        MOVE.forwards(shop, state, MOVE.state_forwards(key, state))


def test_routes_that_do_not_ask_us_are_refused(shop, state, key, app):
    app.conf.task_routes = [{"shop.*": "celery"}, task_routes.route]
    with pytest.raises(PlanError, match="do not begin with"):
        MOVE.forwards(shop, state, MOVE.state_forwards(key, state))


def test_living_workers_say_what_they_have_taken_whatever_the_broker(shop, app, client, workers):
    tasks = CeleryTasks(app=app, name="shop.app")
    for number in range(3):
        send(app, number, None)
    app.tasks["shop.work"].apply_async((3, 0), countdown=60)
    wait_until(lambda: sum(tasks.held_by_workers("shop.work", "celery").values()) == 4)
    found = tasks.held_by_workers("shop.work", "celery")
    assert (found["active"], found["reserved"], found["scheduled"]) == (1, 2, 1)
    assert not tasks.held_by_workers("shop.work", "service")
    assert not tasks.held_by_workers("shop.play", "celery")


def test_of_a_broker_that_does_not_tell_tasks_apart_everything_that_waits_counts():
    app = Celery("memory", broker="memory://", set_as_current=False)
    app.conf.task_acks_late = True
    tasks = CeleryTasks(app=app, name="shop.app")
    assert not tasks.held("shop.work", "celery")
    app.send_task("shop.work")
    app.send_task("shop.other")
    assert tasks.held("shop.work", "celery") == {"waiting": 2}


def test_an_application_that_is_not_there_is_one_sentence():
    with pytest.raises(PlanError, match=r'there is no Celery application "shop.nowhere"'):
        CeleryTasks.load("shop.nowhere")
    assert CeleryTasks.load("monolith.celery.app").app.tasks["reviews.sweep"].acks_late
