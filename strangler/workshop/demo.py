"""make demo: extract reviews under load, take it back, extract it again; then one page of what happened."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from strangler.split import Move, MoveSpec, Replica, Side
from strangler.workshop.checker import check
from strangler.workshop.instance import ROOT, Instance
from strangler.workshop.journal import Entry, read
from strangler.workshop.owners import OwnerWatch
from strangler.workshop.page import Page, Switch, render
from strangler.workshop.shoppers import process
from strangler.workshop.system import System

PLAN = "0001_reviews"
SHOPPERS = 12
PAUSE = 0.2
_WARM_UP = 5.0
_BETWEEN = 4.0
_AROUND = 1.0
_BEFORE_ROUTES = "6"
"""Operations of the plan that stand before its routes move: going back to there reverses the switch."""


def demo(*, record: bool) -> int:
    """Run it all in an instance of its own; 0 only if nothing failed, nothing was lost, and nobody owned twice."""
    began = time.monotonic()
    clear_killed_demos()
    home = Path(tempfile.mkdtemp(prefix="demo-", dir=_runs()))
    system = System(Instance(home=home), _say)
    try:
        with _interruptible(), _held(home):
            system.up(None)
            page = _extract_and_back(system)
            if record:
                shutil.copy(_record(system), ROOT / "migration_plans" / PLAN / "record.jsonl")
    except KeyboardInterrupt:
        _say("interrupted; stopping")
        return 130
    finally:
        system.down()
        shutil.rmtree(home, ignore_errors=True)
    page.seconds = time.monotonic() - began
    sys.stdout.write(render(page))
    return 0 if page.clean else 1


def clear_killed_demos() -> None:
    """Stop and remove what demos left that were killed before they could; those that still run are left alone."""
    for path in _runs().glob("demo-*/lock"):
        with path.open("a") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            System(Instance(home=path.parent), _say).down()
            shutil.rmtree(path.parent, ignore_errors=True)


def _extract_and_back(system: System) -> Page:
    instance = system.instance
    journal = instance.home / "journal.jsonl"
    environment = instance.environment()
    shoppers = process(instance, journal, people=SHOPPERS, pause=PAUSE, seed=1)
    watch = OwnerWatch(environment["STRANGLER_SOURCE_DSN"], environment["STRANGLER_REVIEWS_DSN"], PLAN)
    with watch:
        _say(f"{SHOPPERS} shoppers browse, buy, review and vote through {instance.url('proxy')}/")
        system.supervisor.start(shoppers)
        time.sleep(_WARM_UP)
        for number, (words, arguments) in enumerate(
            (
                ("extracting reviews", [PLAN]),
                ("taking it back", [PLAN, _BEFORE_ROUTES]),
                ("extracting it again", [PLAN]),
            )
        ):
            if number:
                time.sleep(_BETWEEN)
            _say(f"{words}: manage.py applyplan {' '.join(arguments)}")
            system.manage("applyplan", *arguments)
        time.sleep(_BETWEEN)
        system.supervisor.stop("shoppers")
    return _report(system, list(read(journal)), watch)


def _report(system: System, entries: list[Entry], watch: OwnerWatch) -> Page:
    _say("comparing journal and databases")
    environment = system.instance.environment()
    events = [json.loads(line) for line in _record(system).read_text(encoding="utf-8").splitlines()]
    move = move_between(environment["STRANGLER_SOURCE_DSN"], environment["STRANGLER_REVIEWS_DSN"])
    move.catch_up()
    verified = move.verify()
    picture = move.picture()
    owner = picture.owner if picture else None
    reviews = environment["STRANGLER_REVIEWS_DSN" if owner is Side.TARGET else "STRANGLER_SOURCE_DSN"]
    return Page(
        entries=entries,
        findings=check(entries, environment["STRANGLER_SOURCE_DSN"], reviews),
        looks=watch.looks,
        two_owners=watch.two_owners,
        watch_broken=watch.broken,
        rows=sum(event["facts"].get("rows", 0) for event in events if event["facts"].get("table") is not None),
        verification=verified,
        switches=list(_switches(events, entries)),
        status=system.manage("planstatus", PLAN).stdout,
    )


def move_between(source: str, target: str) -> Move:
    """The plan's move, for whoever wants to compare the two databases."""
    replicated = (
        Replica(table="catalog_product", columns=("id", "name")),
        Replica(table="accounts_user", columns=("id", "username")),
    )
    return Move(MoveSpec(name=PLAN, moved=("reviews_review", "reviews_vote"), replicated=replicated), source, target)


def _switches(events: list[dict[str, Any]], entries: list[Entry]) -> Iterator[Switch]:
    """Each switch in the record, with the waits of the writes around it."""
    fenced: float | None = None
    for event in events:
        step = event["facts"].get("step")
        at = datetime.fromisoformat(event["at"]).timestamp()
        if step == "fence":
            fenced = at
        if step == "publish" and fenced is not None and "pause_ms" in event["facts"]:
            waits = sorted(
                entry.seconds
                for entry in entries
                if entry.kind and entry.at >= fenced - _AROUND and entry.at - entry.seconds <= at + _AROUND
            )
            yield Switch(owner=event["facts"]["owner"], pause_ms=event["facts"]["pause_ms"], waits=waits)
            fenced = None


def _record(system: System) -> Path:
    return system.instance.records / PLAN / "record.jsonl"


def _runs() -> Path:
    runs = ROOT / ".run"
    runs.mkdir(exist_ok=True)
    return runs


@contextlib.contextmanager
def _held(home: Path) -> Iterator[None]:
    """Hold the demo's lock for as long as it lives: the kernel lets go of it however it ends."""
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM is a Ctrl-C, so that nothing is left running either way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(text: str) -> None:
    sys.stdout.write(f"{datetime.now().astimezone():%H:%M:%S} {text}\n")
    sys.stdout.flush()
