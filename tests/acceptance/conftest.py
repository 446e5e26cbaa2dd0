"""A whole Orchard on loopback, driven from outside: browsers, programs, commands, and processes that are killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from strangler.deploy.supervisor import Process
from strangler.workshop.checker import check
from strangler.workshop.demo import move_between
from strangler.workshop.instance import ROOT, Instance
from strangler.workshop.journal import Outcome, read
from strangler.workshop.owners import OwnerWatch
from strangler.workshop.system import System

PLAN = "0001_reviews"
MOVED, SWITCHED = "6", "7"
"""Operations done: the rows are copied and followed; the routes and the ownership have moved."""


@pytest.fixture(scope="session")
def orchard() -> Iterator[Orchard]:
    """One system for all acceptance tests; they leave it whole, in whatever state of the plan."""
    home = Path(tempfile.mkdtemp(prefix="acceptance-"))
    system = System(Instance(home=home, aws=True), lambda text: None, size="XS")
    try:
        system.up(None)
        system.supervisor.stop("visitors")  # all the time they would take a third of a core: see Orchard.visited()
        yield Orchard(system)
    finally:
        system.down()
        shutil.rmtree(home, ignore_errors=True)


@dataclass
class Orchard:
    """The running system, and what a person or an operator does with it."""

    system: System

    def at(self, position: str) -> None:
        """Bring the plan to a position, from wherever it is."""
        with self.visited():
            self.manage("applyplan", PLAN, position)

    @contextmanager
    def visited(self) -> Iterator[None]:
        """With strangers who read: a canary needs them."""
        self.system.supervisor.start(self.system.process("visitors"))
        try:
            yield
        finally:
            self.system.supervisor.stop("visitors")

    def manage(self, *arguments: str) -> str:
        return self.system.manage(*arguments).stdout

    def url(self, part: str = "proxy") -> str:
        return self.system.instance.url(part)

    def mails(self) -> list[dict[str, Any]]:
        """All that was sent, by the mailbox: the outside's own count."""
        found: list[dict[str, Any]] = httpx.get(self.url("aws") + "/mailbox.json", trust_env=False).json()
        return found

    @property
    def record(self) -> Path:
        return self.system.instance.records / PLAN / "record.jsonl"

    def kill_executor_at(self, position: str, step: str) -> None:
        """Run the plan to a position, and kill -9 the executor as soon as the record says that it is at "step"."""
        with self.visited(), self.executor_at(position, step) as running:
            running.send_signal(signal.SIGKILL)
            running.wait()

    @contextmanager
    def executor_at(self, position: str, step: str) -> Iterator[subprocess.Popen[bytes]]:
        """An executor on its way to a position, as soon as the record says that it is at "step"."""
        seen = len(self._record_lines())
        running = subprocess.Popen(
            [sys.executable, "manage.py", "applyplan", PLAN, position],
            cwd=ROOT,
            env={**os.environ, **self.system.instance.environment()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            deadline = time.monotonic() + 60
            while not any(_step(line) == step for line in self._record_lines()[seen:]):
                assert running.poll() is None, f"it ended before {step}: {running.stderr.read().decode()}"
                assert time.monotonic() < deadline, f"it never came to {step}"
                time.sleep(0.0005)
            yield running
        finally:
            running.kill()
            running.wait()

    def person(self) -> Person:
        """Somebody new, registered and logged in through the proxy."""
        return Person(self.url())

    def under_load(self, what: Callable[[], Any], seed: int) -> None:
        """Do something while people shop, then hold everything acknowledged against the databases."""
        environment = self.system.instance.environment()
        journal = self.system.instance.home / f"journal-{seed}.jsonl"
        shoppers = Process(
            name=f"shoppers-{seed}",
            command=[
                sys.executable,
                "-m",
                "strangler.workshop.shoppers",
                self.url(),
                str(journal),
                "4",
                "0.1",
                str(seed),
            ],
            environment=environment,
            directory=ROOT,
        )
        move = move_between(environment["STRANGLER_SOURCE_DSN"], environment["STRANGLER_REVIEWS_DSN"])
        with OwnerWatch(environment["STRANGLER_SOURCE_DSN"], environment["STRANGLER_REVIEWS_DSN"], PLAN) as watch:
            self.system.supervisor.start(shoppers)
            try:
                time.sleep(2)
                what()
                time.sleep(1)
            finally:
                self.system.supervisor.stop(shoppers.name)
        entries = list(read(journal))
        move.catch_up()
        owner = "STRANGLER_REVIEWS_DSN" if move.picture().owner == "target" else "STRANGLER_SOURCE_DSN"
        findings = check(
            entries,
            environment["STRANGLER_SOURCE_DSN"],
            environment[owner],
            people=f"shopper-{seed}-%",
        )
        assert [entry for entry in entries if entry.outcome is Outcome.FAILED] == []
        assert findings.acknowledged > 10
        assert findings.all == []
        assert (watch.two_owners, watch.broken) == (0, "")
        assert watch.looks > 100
        assert move.verify().equal

    def _record_lines(self) -> list[str]:
        return self.record.read_text(encoding="utf-8").splitlines() if self.record.exists() else []


@dataclass
class Person:
    """A browser with its cookies."""

    url: str
    client: httpx.Client = field(init=False)
    name: str = field(default_factory=lambda: f"person-{uuid.uuid4().hex[:10]}")

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        password = uuid.uuid4().hex
        form = {"username": self.name, "email": f"{self.name}@orchard.example", "display_name": self.name}
        answer = self.submit("/register/", {**form, "password1": password, "password2": password})
        assert answer.status_code == 302, answer.text

    def submit(self, path: str, form: dict[str, Any], page: str | None = None) -> httpx.Response:
        """Fill in the form that "page" (else the path itself) shows, hidden fields included."""
        shown = self.client.get(page or path)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', shown.text))
        return self.client.post(path, data={**hidden, **form}, headers={"Referer": self.url + path})

    def write(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """A write by the programs' interface, as a page's script would send it."""
        headers = {"X-CSRFToken": self.client.cookies["csrftoken"], "Referer": self.url}
        return self.client.request(method, path, json=body, headers=headers)

    def review(self, product: int, **changes: Any) -> httpx.Response:
        body = {"reference": str(uuid.uuid4()), "product": product, "rating": 4, "title": "Fine", "body": ""}
        return self.write("POST", "/api/reviews/", {**body, **changes})


def _step(line: str) -> str | None:
    try:
        return json.loads(line)["facts"].get("step")
    except ValueError:
        return None  # being written
