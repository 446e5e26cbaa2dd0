"""A small Django project whose monolith and service each stand on an engine, and processes that work with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from strangler.split.store import Database, Store
from tests.integration.plans.conftest import new_database

ROOT = Path(__file__).parents[4]
HOME = Path(__file__).parent / "project"


@dataclass(frozen=True, kw_only=True)
class Project:
    """The project over two databases."""

    source_dsn: str
    target_dsn: str
    upstream: str
    records: Path
    settings: str = "settings"
    actors: dict[bool, subprocess.Popen[str]] = field(default_factory=dict)

    def act(self, text: str, *, served: bool = False) -> dict[str, Any]:
        """Run a text in the monolith's process, or in the service's; the facts that it found."""
        if served not in self.actors:
            self.actors[served] = self.start("act.py", served=served)
        actor = self.actors[served]
        assert actor.stdin is not None
        assert actor.stdout is not None
        actor.stdin.write(json.dumps(dedent(text)) + "\n")
        actor.stdin.flush()
        answer = json.loads(actor.stdout.readline())
        assert not answer["error"], answer["error"]
        return dict(answer["facts"])

    def end(self) -> None:
        """End the two processes."""
        for actor in self.actors.values():
            actor.communicate()

    def command(self, *words: str) -> subprocess.Popen[str]:
        """One of the toolkit's commands, in a process of its own."""
        return self.start("-m", "django", *words)

    def start(self, *words: str, served: bool = False) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *words],
            cwd=HOME,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(map(str, (HOME, ROOT, ROOT / "proxy", os.environ.get("PYTHONPATH", "")))),
                "PYTHONDONTWRITEBYTECODE": "1",
                "DJANGO_SETTINGS_MODULE": self.settings,
                "SOURCE_DSN": self.source_dsn,
                "TARGET_DSN": self.target_dsn,
                "UPSTREAM": self.upstream,
                "RECORDS": str(self.records),
                "SERVED": "1" if served else "",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @contextmanager
    def source(self) -> Iterator[Store]:
        with Database(name="source", dsn=self.source_dsn).connect() as store:
            yield store

    @contextmanager
    def target(self) -> Iterator[Store]:
        with Database(name="target", dsn=self.target_dsn).connect() as store:
            yield store


@contextmanager
def new_project(
    source: str, target: str, request: pytest.FixtureRequest, directory: Path, settings: str = "settings"
) -> Iterator[Project]:
    """A project with three products, and forty reviews with a vote each."""
    with ExitStack() as stack:
        project = Project(
            source_dsn=stack.enter_context(new_database(source, request, directory)),
            target_dsn=stack.enter_context(new_database(target, request, directory)),
            upstream=stack.enter_context(_ready_service()),
            records=directory / "records",
            settings=settings,
        )
        stack.callback(project.end)
        project.act(
            "from django.core.management import call_command\ncall_command('migrate', run_syncdb=True, verbosity=0)",
            served=True,
        )
        project.act(
            """
            from django.core.management import call_command
            from shop.models import Product, Review, Vote
            call_command("migrate", verbosity=0)
            products = [Product.objects.create(name=f"product {n}") for n in range(3)]
            for n in range(40):
                review = Review.objects.create(product=products[n % 3], author=f"author {n}", body="good " * (n % 4))
                Vote.objects.create(review=review, helpful=n % 2 == 0)
            """
        )
        yield project


@contextmanager
def _ready_service() -> Iterator[str]:
    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
