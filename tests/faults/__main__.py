"""Runs seeds: "python -m tests.faults --seed 7", or "--seeds 1000 --from 1". Stops at the first that is wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer
from strangler.split import Side
from tests.faults.schedule import draw
from tests.faults.simulation import Simulation

SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Servers:
    """Two servers that go with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strangler-faults-")))
        self.of: dict[Side, PostgresServer] = {}
        self.dsns: dict[Side, str] = {}
        for side in Side:
            server = PostgresServer(data=home / side.value, port=free_port(), settings=SETTINGS)
            stack.callback(server.stop)
            server.start()
            self.of[side] = server
            self.dsns[side] = cheap_user(server.dsn())


def cheap_user(dsn: str, name: str = "faults") -> str:
    """The DSN of a database of that name, and of an administrator whose password costs the server little to check."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET scram_iterations = 1")
        connection.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD 'faults'")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    where = psycopg.conninfo.conninfo_to_dict(dsn)
    return f"postgresql://{name}:faults@{where['host']}:{where['port']}/{name}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--from", type=int, default=1, dest="first")
    parser.add_argument("--keep-going", action="store_true")
    parser.add_argument("--trace", action="store_true")
    given = parser.parse_args()
    seeds = [given.seed] if given.seed is not None else range(given.first, given.first + given.seeds)
    began = time.monotonic()
    outcomes = []
    wrong = 0
    with ExitStack() as stack:
        simulation = Simulation(dsns=Servers(stack).dsns)
        stack.callback(simulation.close)
        for seed in seeds:
            outcome = simulation.run(draw(seed))
            outcomes.append(outcome)
            if given.trace:
                sys.stdout.write("\n".join(outcome.trace) + "\n")
            if outcome.findings.wrong or given.seed is not None:
                sys.stdout.write(f"{outcome}\n")
            if outcome.findings.wrong:
                wrong += 1
                if not given.keep_going:
                    break
    sys.stdout.write(
        f"{len(outcomes):,} seeds in {time.monotonic() - began:.0f} s, {wrong} of them wrong; "
        f"{sum(outcome.faults for outcome in outcomes):,} faults, {sum(outcome.switches for outcome in outcomes):,} "
        f"switches, {sum(outcome.requests for outcome in outcomes):,} writes, "
        f"{sum(outcome.findings.acknowledged for outcome in outcomes):,} acknowledged operations, "
        f"{sum(outcome.findings.unknown for outcome in outcomes):,} of unknown outcome\n"
    )
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
