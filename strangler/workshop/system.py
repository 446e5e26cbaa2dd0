"""Orchard as a system on one machine: databases, broker, payment, shop, worker, services, proxy, applier, visitors."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from strangler.deploy.supervisor import Process, ProcessError, Supervisor
from strangler.workshop.instance import DATABASES, PASSWORD, ROOT, SERVERS, SERVICES, Instance
from strangler.workshop.processes import folder, in_service, processes

Say = Callable[[str], None]
_BEFORE_THE_PLANS = {"reviews": "0001", "notifications": "0002"}
"""Of each app that a plan moves, the last migration before the one that cuts its keys."""
_NEEDED_BY_OTHERS = ("broker", "aws", "payment")
_TEMPLATES = ROOT / ".run" / "templates"
_SHAPES_DATA = (
    "monolith/**/migrations/*.py",
    "monolith/seed/*.py",
    "extracted/**/migrations/*.py",
    "strangler/workshop/*.py",
)


class System:
    """Starts and stops one instance. Whatever was running is found again by any later process."""

    def __init__(self, instance: Instance, say: Say, size: str = "S") -> None:
        self.instance = instance
        self.supervisor = Supervisor(home=instance.home / "processes")
        self._say = say
        self._size = size

    def up(self, base: int | None) -> None:
        """Make what is missing, start everything and wait until it serves. Raises StranglerError with one sentence."""
        self.instance.prepare(base)
        self.instance.refuse_taken_ports(ours=self._running())
        self._databases()
        self._say("starting the shop, the services and the proxy")
        processes = list(self.processes())
        asked = [process for process in processes if process.ready_url or process.name in _NEEDED_BY_OTHERS]
        # Nobody waits for those that only work: they take the cores when all that is asked answers.
        for some in (asked, [process for process in processes if process not in asked]):
            for process in some:
                self.supervisor.start(process)
            for process in some:
                self.supervisor.wait(process)
        self.instance.write_environment()

    def down(self) -> None:
        """Stop everything, also what an earlier process started and left."""
        names = self.supervisor.names()
        # At once, since each may first finish what it is at; what the others need for that ends last.
        with ThreadPoolExecutor(len(names) or 1) as pool:
            list(pool.map(self.supervisor.stop, [name for name in names if name not in _NEEDED_BY_OTHERS]))
        for name in names:
            self.supervisor.stop(name)
        # Without ports nothing was ever started.
        with suppress(FileNotFoundError):
            self._stop_databases()

    def cut_power(self) -> None:
        """End everything at once: quicker, where nobody wants its data any more."""
        for name in self.supervisor.names():
            self.supervisor.kill(name)
        with suppress(FileNotFoundError):
            for name in SERVERS:
                self.instance.database(name).kill()

    def restart(self, name: str) -> None:
        process = self.process(name)
        self.supervisor.stop(name)
        self.supervisor.start(process)
        self.supervisor.wait(process)

    def process(self, name: str) -> Process:
        return next(process for process in self.processes() if process.name == name)

    def processes(self) -> Iterator[Process]:
        """Everything but the databases, in the order in which it is started."""
        return processes(self.instance)

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one of Orchard's (and the toolkit's) commands in this instance."""
        return self._run(ROOT, *arguments, check=check)

    def _running(self) -> list[str]:
        """The parts of ours that run, by the names that their ports have."""
        processes = [name for name in self.supervisor.names() if self.supervisor.pid(name) is not None]
        return [*processes, *(f"{name}-database" for name in SERVERS if self.instance.database(name).running())]

    def _databases(self) -> None:
        template = _TEMPLATES / f"{self._size}-{_fingerprint()}"
        data, filling = self.instance.home / "postgres", self.instance.home / "filling"
        if filling.exists():
            # An earlier start was cut off; what it left is neither empty nor a shop.
            self._stop_databases()
            shutil.rmtree(data, ignore_errors=True)
        fresh = not data.exists()
        if fresh:
            filling.touch()
        if fresh and template.exists():
            # A copied server keeps its password, which only this machine's user can read.
            shutil.copytree(template, data, symlinks=True)
        for server in SERVERS:
            self.instance.database(server).start()
        for name, server in DATABASES.items():
            _make_database(self.instance.database(server).dsn(), name, self.instance.secrets["database"])
        if fresh and not template.exists():
            self._fill()
            self._remember(template)
        filling.unlink(missing_ok=True)

    def _stop_databases(self) -> None:
        for name in SERVERS:
            self.instance.database(name).stop()

    def _fill(self) -> None:
        """Migrate the databases to where the plans begin, and seed the shop."""
        self._say("migrating the databases")
        self.manage("migrate", "--verbosity", "0")
        for app, migration in _BEFORE_THE_PLANS.items():
            self.manage("migrate", app, migration, "--verbosity", "0")
        for service in SERVICES:
            self._run(folder(service), "migrate", "--verbosity", "0", environment=in_service(service))
        self._say(f"seeding a shop of size {self._size}")
        self.manage("seed", "--size", self._size, "--password", PASSWORD)

    def _remember(self, template: Path) -> None:
        """Keep the filled servers, so that the next start needs seconds; older ones go."""
        self._stop_databases()
        for old in _TEMPLATES.glob(f"{self._size}-*"):
            if old != template:  # which others may be copying by now
                shutil.rmtree(old, ignore_errors=True)
        _TEMPLATES.mkdir(parents=True, exist_ok=True)
        # Several may do this at once: each makes its own, and the first one's stays.
        with tempfile.TemporaryDirectory(dir=_TEMPLATES, prefix="new-") as draft:
            made = Path(shutil.copytree(self.instance.home / "postgres", Path(draft) / "postgres", symlinks=True))
            with suppress(OSError):
                made.rename(template)
        for name in SERVERS:
            self.instance.database(name).start()

    def _run(
        self, directory: Path, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=directory,
            env={**os.environ, **self.instance.environment(), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        if check and ran.returncode:
            last = (ran.stderr.strip() or ran.stdout.strip() or "it said nothing").splitlines()[-1]
            raise ProcessError(f'"manage.py {" ".join(arguments)}" failed: {last}')
        return ran


def _make_database(admin: str, name: str, password: str) -> None:
    """The application's user and database, where they are missing; its password is this instance's in any case."""
    with psycopg.connect(admin, autocommit=True) as connection:
        known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,)).fetchone()
        verb = sql.SQL("CREATE" if known is None else "ALTER")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password))
        )
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))


def _fingerprint() -> str:
    """What the filled databases depend on."""
    digest = hashlib.sha256()
    for pattern in _SHAPES_DATA:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
