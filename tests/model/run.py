"""Checks the model of the cutover, cutover.pml, and that each of its broken variants is caught.

python tests/model/run.py [--bound small|large] [--only NAME]

Needs spin and a C compiler. Every search is complete: all states that the budgets of a world allow are looked at.
"""

from __future__ import annotations

import argparse
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("cutover.pml")
MEMORY = {"small": 3_500, "large": 6_000}
"""Megabytes that one search may take."""
DEPTH = 1_000_000
INTACT = "intact"
HARMLESS = {"unknown_fence_is_failure"}
"""Variants that break no promise; docs/model.md says why."""

WORLDS: Mapping[str, Mapping[str, Mapping[str, int]]] = {
    # Who owns: many executors, and every way to lose track of a statement.
    "ownership": {
        "small": {"EXECUTORS": 2, "SWITCHES": 3, "DEATHS": 1, "UNKNOWNS": 1},
        "large": {"EXECUTORS": 2, "SWITCHES": 3, "DEATHS": 2, "UNKNOWNS": 2},
    },
    # What proxies and their requests see, and the end of a move.
    "routes": {
        "small": {"EXECUTORS": 2, "SWITCHES": 2, "PROXIES": 1, "REQUESTS": 1, "COMPLETIONS": 1},
        "large": {"EXECUTORS": 2, "SWITCHES": 2, "PROXIES": 2, "REQUESTS": 1, "COMPLETIONS": 1},
    },
    "canary": {
        "small": {"EXECUTORS": 1, "SWITCHES": 2, "PROXIES": 1, "CANARIES": 2},
        "large": {"EXECUTORS": 2, "SWITCHES": 2, "PROXIES": 1, "CANARIES": 2},
    },
    # Writes in flight while executors compete.
    "writes": {
        "small": {"EXECUTORS": 2, "SWITCHES": 2, "WRITERS": 1, "WRITES": 2, "APPLIERS": 1, "UNKNOWNS": 1},
        "large": {"EXECUTORS": 2, "SWITCHES": 3, "WRITERS": 1, "WRITES": 2, "APPLIERS": 1, "UNKNOWNS": 1},
    },
    # The log, with appliers that compete.
    "queue": {
        "small": {"EXECUTORS": 1, "SWITCHES": 2, "WRITERS": 2, "WRITES": 2, "APPLIERS": 2, "LOST_ACKS": 1},
        "large": {"EXECUTORS": 1, "SWITCHES": 2, "WRITERS": 2, "WRITES": 2, "APPLIERS": 2, "LOST_ACKS": 2},
    },
    "verification": {
        "small": {
            "EXECUTORS": 1, "SWITCHES": 1, "WRITERS": 1, "WRITES": 2, "APPLIERS": 2, "VERIFICATIONS": 1,
            "CORRUPTIONS": 1,
        },
        "large": {
            "EXECUTORS": 1, "SWITCHES": 2, "WRITERS": 1, "WRITES": 2, "APPLIERS": 2, "VERIFICATIONS": 1,
            "CORRUPTIONS": 1,
        },
    },
    # Somebody writes past the fence.
    "rogue": {
        "small": {"EXECUTORS": 1, "SWITCHES": 1, "WRITERS": 1, "WRITES": 3, "APPLIERS": 1, "ROGUES": 1},
        "large": {"EXECUTORS": 1, "SWITCHES": 1, "WRITERS": 2, "WRITES": 3, "APPLIERS": 2, "ROGUES": 1},
    },
    # The target comes back from a backup.
    "restore": {
        "small": {
            "EXECUTORS": 1, "SWITCHES": 1, "DEATHS": 1, "WRITERS": 2, "WRITES": 2, "APPLIERS": 1, "RESTORES": 1,
        },
        "large": {
            "EXECUTORS": 1, "SWITCHES": 2, "DEATHS": 1, "WRITERS": 2, "WRITES": 2, "APPLIERS": 2, "RESTORES": 1,
        },
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The model with one guard taken out."""

    name: str
    missing: str
    world: str
    harmless: bool = False

    @property
    def define(self) -> str:
        return self.name.upper()


VARIANTS = tuple(
    Variant(name=name, world=world, missing=missing, harmless=name in HARMLESS)
    for name, world, missing in (
        ("picture_is_torn", "ownership", "the rows of a picture are read once each, not twice"),
        ("picture_again", "ownership", "a second picture is taken before COMMIT"),
        ("fence_without_compare", "routes", "FENCE does not compare the epoch"),
        ("commit_without_compare", "ownership", "COMMIT does not compare the epoch"),
        ("back_without_bump", "ownership", "going back leaves out BACK_BUMP"),
        ("back_opens_first", "ownership", "going back does BACK_OPEN before BACK_BUMP"),
        ("unknown_commit_is_failure", "ownership", "an unknown outcome of COMMIT counts as not done"),
        ("unknown_fence_is_success", "ownership", "an unknown outcome of FENCE counts as done"),
        ("unknown_fence_is_failure", "ownership", "an unknown outcome of FENCE counts as not done"),
        ("recovery_leaves_stable_alone", "ownership", "recovery of a stable pair without REFENCE"),
        ("recovery_goes_forward", "ownership", "recovery where nobody owns opens the side that did not own last"),
        ("term_of_one_side", "ownership", "the new term is the side's own + 1, not the greater one + 1"),
        ("back_keeps_term", "routes", "going back keeps the old term"),
        ("recovery_publishes_two_pictures", "routes", "recovery publishes one picture's owner and another's term"),
        ("proxy_takes_older", "routes", "proxies take an older version (what \"current + 1\" comes to)"),
        ("replayed_to_the_same_term", "routes", "a refused request goes to routes of the refusal's own term"),
        ("done_leaves_epoch", "routes", "done is set without changing the epoch"),
        ("reverse_ignores_done", "routes", "the gates of a reverse do not look at done"),
        ("retire_waits_for_nobody", "routes", "complete retires before all proxies have the new routes"),
        ("canary_overwrites", "canary", "a canary step is persisted without looking at the last one"),
        ("fence_waits_for_nobody", "writes", "the fence does not wait for open writers"),
        ("fence_seen_in_old_snapshot", "writes", "a writer meets the fence as its snapshot shows it"),
        ("log_end_read_before_the_fence", "writes", "the log is seen empty before the fence, not after it"),
        ("slow_catch_up_goes_on", "writes", "a catch-up that takes too long goes on instead of back"),
        ("reverse_captured_from_commit_on", "writes", "the way back is captured only after the switch"),
        ("log_read_by_position", "queue", "a position instead of a queue"),
        ("snapshot_before_lock", "queue", "the applier's snapshot comes before the receiver's lock"),
        ("images_of_an_older_snapshot", "queue", "rows and log are read in two snapshots, the rows first"),
        ("applier_leaves_ownership_unlocked", "queue", "the applier does not share the ownership row's lock"),
        ("deleted_before_commit", "queue", "log rows are deleted before the receiver's commit"),
        ("deleted_by_key", "queue", "all log rows of the applied keys are deleted, not just those read"),
        ("lost_acknowledgement_is_left", "queue", "a batch whose acknowledgement was lost is not noted first"),
        ("echoes_are_captured", "queue", "applied rows are captured back"),
        ("nothing_is_verified", "verification", "no VERIFY"),
        ("verification_forgets_newer", "verification", "a verification takes newer keys off, too"),
        ("commit_without_verified_batch", "verification", "COMMIT takes rows applied after VERIFY"),
        ("owner_takes_batches", "rogue", "a batch is not refused where the receiver owns"),
        ("gates_without_heartbeat", "restore", "the gates do not see whether the stream is whole"),
        ("gap_is_not_looked_for", "restore", "the applier does not compare the batch numbers"),
    )
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What spin found in one world. "caught" is the broken promise that it came to first, or None."""

    world: str
    states: int
    seconds: float  # of the processor
    caught: str | None
    complete: bool
    statements: frozenset[str] = frozenset()  # all that there are in this world
    unreached: frozenset[str] = frozenset()


def check(world: str, bound: str, define: str | None = None) -> Outcome:
    """Search one world through. Raises RuntimeError where spin, the compiler or the search itself fails."""
    budgets = [f"-D{name}={count}" for name, count in WORLDS[world][bound].items()]
    with tempfile.TemporaryDirectory(prefix="model-") as name:
        folder = Path(name)
        shutil.copy(MODEL, folder)
        _run(folder, "spin", "-a", *budgets, *([f"-D{define}"] if define else []), MODEL.name)
        # A variant is found out before an optimised search would have been compiled.
        _run(
            folder, "gcc", "-O0" if define else "-O2", "-w", "-DSAFETY", *(["-DCOLLAPSE"] if bound == "large" else []),
            "-DVECTORSZ=1024", f"-DMEMLIM={MEMORY[bound]}", "-o", "pan", "pan.c",
        )  # fmt: skip
        began = _processor_seconds()
        report = _run(folder, "./pan", f"-m{DEPTH}", "-w24")
        seconds = _processor_seconds() - began
        table = _run(folder, "./pan", "-d")
    return Outcome(
        world=world,
        states=int(float(_found(r"([\d.e+]+) states, stored", report))),
        seconds=seconds,
        caught=_broken_promise(report),
        complete="max search depth too small" not in report and "out of memory" not in report,
        statements=frozenset(_statements(table)),
        unreached=frozenset(_unreached(report)),
    )


def check_intact(bound: str) -> Iterator[Outcome]:
    """The intact model in one world after the other."""
    for world in WORLDS:
        yield check(world, bound)


def never_reached(outcomes: Iterable[Outcome]) -> list[str]:
    """The statements of the intact model that no world comes to."""
    there, reached = set[str](), set[str]()
    for outcome in outcomes:
        there |= outcome.statements
        reached |= outcome.statements - outcome.unreached
    return sorted(there - reached)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if command[0] != "./pan" and (done.returncode != 0 or "Error:" in said):
        raise RuntimeError(f'"{" ".join(command)}" failed: {said.strip()}')
    return said


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"spin's report says nothing of {pattern!r}: {text.strip()}")
    return match[1]


def _broken_promise(report: str) -> str | None:
    failed = re.search(r"^pan:\d+: (.*)$", report, re.MULTILINE)
    if failed is None:
        return None
    if "invalid end state" in failed[1]:
        return "somebody waits for ever"
    number = re.search(r"\|\|\((\d+)==0\)|\|\|\s*\(?(\d+)==0", failed[1])
    if number is None:
        raise RuntimeError(f"the search failed: {failed[0]}")
    return _promises()[int(number[1] or number[2])]


def _promises() -> dict[int, str]:
    return {
        int(number): promise
        for number, promise in re.findall(
            r"^#define [A-Z_]+ (\d+) +/\* (.+?) \*/$", MODEL.read_text().split("/* Spin itself")[0], re.MULTILINE
        )
    }


def _unreached(report: str) -> Iterator[str]:
    process = ""
    for line in report.splitlines():
        if match := re.match(r"unreached in proctype (\w+)|unreached in (init)", line):
            process = match[1] or match[2]
        elif match := re.match(r'\s+cutover\.pml:(\d+), state \d+, "(.*)"', line):
            yield _statement(process, match[1], match[2])


def _statements(table: str) -> Iterator[str]:
    process = ""
    for line in table.splitlines():
        if match := re.match(r"proctype (\w+)|(init)", line):
            process = match[1] or match[2]
        elif match := re.match(r"\s+state .* cutover\.pml:(\d+) => (.*)", line):
            yield _statement(process, match[1], match[2])


def _statement(process: str, line: str, text: str) -> str:
    # Budgets stand in it as numbers, which differ from world to world.
    return f"{process}, line {line}: {re.sub('[0-9]+', '#', text)}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bound", choices=sorted(MEMORY), default="small")
    parser.add_argument("--only", choices=[INTACT, *(variant.name for variant in VARIANTS)], metavar="NAME")
    asked = parser.parse_args()
    failed = False
    print(f"| variant | the guard that is missing | world | states | seconds | caught by |\n|{'---|' * 6}")  # noqa: T201
    if asked.only in (None, INTACT):
        outcomes = []
        for outcome in check_intact(asked.bound):
            outcomes.append(outcome)
            failed |= outcome.caught is not None or not outcome.complete
            _print_row(INTACT, "none", outcome)
        for statement in never_reached(outcomes):
            print(f"never reached: {statement}")  # noqa: T201
    for variant in VARIANTS:
        if asked.only in (None, variant.name):
            outcome = check(variant.world, "small", variant.define)
            failed |= (outcome.caught is None) != variant.harmless or not outcome.complete
            _print_row(variant.name, variant.missing, outcome)
    return int(failed)


def _print_row(name: str, missing: str, outcome: Outcome) -> None:
    caught = outcome.caught or ("nothing" if outcome.complete else "the search was cut off")
    row = (name, missing, outcome.world, f"{outcome.states:,}", f"{outcome.seconds:.1f}", caught)
    print(f"| {' | '.join(row)} |", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
