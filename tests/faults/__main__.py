"""Runs seeds: "python -m tests.faults --seed 7", or "--seeds 1000 --from 1". Ends at the first that is wrong."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from collections import Counter
from contextlib import ExitStack, suppress

from strangler.split import Capture
from tests.faults.schedule import draw
from tests.faults.servers import Servers
from tests.faults.simulation import Outcome, Simulation


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--from", type=int, default=1, dest="first")
    parser.add_argument("--capture", type=Capture, help="log or triggers; without it, what the seed draws")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers go with the stack
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.seeds)
    began = time.monotonic()
    outcomes = []
    with ExitStack() as stack:
        simulation = Simulation(Servers(stack))
        stack.callback(simulation.close)
        with suppress(KeyboardInterrupt):
            for seed in seeds:
                outcome = simulation.run(draw(seed, given.capture))
                outcomes.append(outcome)
                if given.trace:
                    sys.stdout.write("\n".join(outcome.trace) + "\n")
                if outcome.findings.wrong or given.seed is not None:
                    sys.stdout.write(f"{outcome}\n")
                    sys.stdout.flush()
                if outcome.findings.wrong and not given.keep_going:
                    break
        sys.stdout.write(f"{_counts(outcomes)}\n{time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    return any(outcome.findings.wrong for outcome in outcomes)


def _counts(outcomes: list[Outcome]) -> str:
    faults = sum((outcome.faults for outcome in outcomes), Counter[str]())
    return (
        f"{len(outcomes):,} seeds, {sum(bool(outcome.findings.wrong) for outcome in outcomes):,} of them wrong; "
        f"{sum(outcome.requests for outcome in outcomes):,} writes, "
        f"{sum(outcome.findings.acknowledged for outcome in outcomes):,} acknowledged operations, "
        f"{sum(outcome.findings.unknown for outcome in outcomes):,} of unknown outcome; "
        f"{sum(outcome.switches for outcome in outcomes):,} switches\n"
        f"{faults.total():,} faults: " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(faults.items()))
    )


if __name__ == "__main__":
    sys.exit(main())
