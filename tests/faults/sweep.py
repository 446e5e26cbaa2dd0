"""One fault at each boundary in turn: every statement and every step of an operation, forwards and back.

"python -m tests.faults.sweep" takes them all; a number behind it takes every so manieth only.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from strangler.split import Capture
from tests.faults.bench import Fault, Kind
from tests.faults.schedule import Schedule
from tests.faults.servers import Servers
from tests.faults.simulation import Outcome, Simulation


@dataclass(frozen=True, kw_only=True)
class Life:
    """A part of a move's life, and who of those who take part meets a fault."""

    who: str
    what: str
    verbs: tuple[str, ...]
    brought: bool = True
    rivals: tuple[tuple[float, str], ...] = ()
    capture: Capture = Capture.TRIGGERS
    kinds: tuple[Kind, ...] = (Kind.KILL, Kind.CRASH)


LIVES = (
    Life(who="operator", what="create, copy, compare", verbs=("create", "copy", "verify"), brought=False),
    Life(who="operator", what="there and back", verbs=("switch target", "switch source")),
    Life(who="operator", what="to the end", verbs=("switch target", "complete")),
    Life(who="operator", what="given up", verbs=("switch target", "cancel")),
    Life(
        who="rival0",
        what="a second copy worker",
        verbs=("create", "copy", "verify", "switch target"),
        brought=False,
        rivals=((0.15, "copy"),),
    ),
    Life(who="applier0", what="applies while the operator switches", verbs=("switch target", "switch source")),
    Life(who="rival0", what="recovers", verbs=("switch target",), rivals=((0.1, "recover"),)),
    Life(
        who="operator", what="create and copy, by the log", verbs=("create", "copy"), brought=False, capture=Capture.LOG
    ),
    Life(
        who="applier0",
        what="applies from the log while the operator switches",
        verbs=("switch target",),
        capture=Capture.LOG,
        kinds=(Kind.KILL,),
    ),
)


def sweep(simulation: Simulation, life: Life, kind: Kind, step: int = 1) -> Iterator[Outcome]:
    """The life again and again, with the fault one boundary later each time, until it is not met any more."""
    nth = 1
    while True:
        fault = Fault(kind=kind, where="", nth=nth, seconds=0.5)
        yield simulation.run(
            Schedule(
                seed=nth,
                verbs=list(life.verbs),
                brought=life.brought,
                clients=2,
                proxies=1,
                appliers=1,
                rivals=list(life.rivals),
                capture=life.capture,
                faults={life.who: [fault]},
            )
        )
        if not fault.happened:
            return
        nth += step


def main() -> int:
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers go with the stack
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    wrong = 0
    with ExitStack() as stack, suppress(KeyboardInterrupt):
        simulation = Simulation(Servers(stack))
        stack.callback(simulation.close)
        for life in LIVES:
            for kind in life.kinds:
                began, acknowledged, met = time.monotonic(), 0, 0
                for outcome in sweep(simulation, life, kind, step):
                    met += outcome.faults.total()
                    acknowledged += outcome.findings.acknowledged
                    if outcome.findings.wrong:
                        wrong += 1
                        sys.stdout.write(f"{outcome}\n")
                seconds = time.monotonic() - began
                sys.stdout.write(f"| {life.who}: {life.what} | {kind} | {met} | {acknowledged:,} | {seconds:.0f} s |\n")
                sys.stdout.flush()
    sys.stdout.write(f"{wrong} of them wrong\n")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
