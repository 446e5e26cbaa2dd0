"""The comparison from the top: set the arms up, check that they are the same shop, measure them in turn, end them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from strangler.compare.arms import Arm
from strangler.compare.change import deploy, parts, reaches
from strangler.compare.cores import Cores, shared_out
from strangler.compare.disk import disk
from strangler.compare.kinds import Kind, kind_of
from strangler.compare.leftovers import folder
from strangler.compare.machine import machine
from strangler.compare.matrix import matrix
from strangler.compare.measuring import Rates, calibrate, turn
from strangler.compare.results import Observation, Results
from strangler.compare.routes import Route, refuse_different, routes, slugs_of
from strangler.compare.schedule import orders
from strangler.compare.sizes import Size
from strangler.workshop.instance import ROOT

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is to be compared, and how thoroughly."""

    kinds: Sequence[Kind]
    size: Size
    seed: int
    memory: int  # bytes that an arm may use
    load_alone: bool = False  # without faults and changes


def compare(wish: Wish, say: Say) -> Results:
    """Run all of it, in a folder that is gone afterwards; nothing is left running, however it ends."""
    began = datetime.now(UTC)
    cores = shared_out(os.sched_getaffinity(0), wish.memory)
    with _arms(wish, cores) as arms:
        taken: set[int] = set()
        for arm in arms:
            arm.choose_ports(taken)
        say(f"setting up {', '.join(arm.kind.name for arm in arms)}")
        arms[0].set_up()  # alone: it may have to fill a shop, which the others copy
        _at_once(lambda arm: arm.set_up(), arms[1:])
        cores.of_load()
        observations = list(_starts(arms, wish.size, say))
        with _all_awake(arms):
            measured = routes(slugs_of(arms[0].address))
            refuse_different([(arm.kind.name, arm.address) for arm in arms], measured)
        say("finding out what they can do")
        rates = {route.name: calibrate(arms, route, wish.size) for route in measured}
        observations += _load(arms, measured, rates, wish, say)
        sizes = {arm.kind.name: disk(arm) for arm in arms}
        slugs = [request.path.split("/")[2] for request in measured[-1].requests]
        faults, changes = ([], {}) if wish.load_alone else _failing_and_changing(arms, slugs, wish.size, say)
    return Results(
        about={
            "at": began.isoformat(timespec="seconds"),
            "minutes": round((datetime.now(UTC) - began).total_seconds() / 60, 1),
            "seed": wish.seed,
            "size": wish.size.as_dict(),
            "shared": str(cores),
            "machine": machine(),
        },
        arms=[{"name": kind.name, "is": kind.is_} for kind in wish.kinds],
        routes=[
            {"name": route.name, "is": route.is_, "rate": rates[route.name].steady, "most": rates[route.name].saturated}
            for route in measured
        ],
        observations=observations,
        disk=sizes,
        faults=faults,
        change=changes,
    )


def _at_once(what: Callable[[Arm], object], arms: Sequence[Arm]) -> None:
    with ThreadPoolExecutor(len(arms)) as pool:
        list(pool.map(what, arms))


def _starts(arms: Sequence[Arm], size: Size, say: Say) -> Iterator[Observation]:
    """Start each arm as often as is wished; it runs, halted, after the last time."""
    say("starting them, and timing it")
    for repetition in range(size.starts):
        for arm in arms:
            if repetition:
                arm.end()
            seconds = arm.begin()
            arm.rest()
            yield Observation(arm=arm.kind.name, route="", measure="start", repetition=repetition, value=seconds)


def _load(
    arms: Sequence[Arm], measured: Sequence[Route], rates: Mapping[str, Rates], wish: Wish, say: Say
) -> Iterator[Observation]:
    by_name = {arm.kind.name: arm for arm in arms}
    for repetition, order in enumerate(orders(list(by_name), wish.size.repetitions, wish.seed)):
        say(f"repetition {repetition + 1} of {wish.size.repetitions}: {', '.join(order)}")
        for name in order:
            yield from turn(by_name[name], measured, rates, wish.size, repetition, wish.seed)


def _failing_and_changing(
    arms: Sequence[Arm], slugs: list[str], size: Size, say: Say
) -> tuple[list[dict[str, object]], dict[str, object]]:
    """With all parts up; the arms share their cores at once, since nothing of this counts in milliseconds."""
    say("starting what serves no page, for the faults")
    with _all_awake(arms):
        _at_once(lambda arm: arm.begin(size.beside), arms)
        deployed = [deploy(arm, slugs) for arm in arms]
        say("letting each part fail")
        faults = matrix(arms, slugs, size, say)
        say("reading what a change can reach")
        return faults, {"deployed": deployed, "reaches": reaches(), "parts": parts(arms)}


@contextmanager
def _arms(wish: Wish, cores: Cores) -> Iterator[list[Arm]]:
    """The arms, none of which is set up yet; all of them are ended when the context is left."""
    affinity = os.sched_getaffinity(0)
    with folder(ROOT / ".run", lambda home: _end(home, cores, wish.size.shop)) as home:
        try:
            yield [Arm(kind, home, cores, wish.size.shop) for kind in wish.kinds]
        finally:
            os.sched_setaffinity(0, affinity)


def _end(home: Path, cores: Cores, shop: str) -> None:
    """Whatever arms there are."""
    for ports in home.glob("*/ports.json"):
        Arm(kind_of(ports.parent.name), home, cores, shop).end()
    cores.release()


@contextmanager
def _all_awake(arms: Sequence[Arm]) -> Iterator[None]:
    if not arms:
        yield
        return
    with arms[0].awake(), _all_awake(arms[1:]):
        yield
