"""python -m tests.fuzz: requests through an engine, from a seed that is printed; 1 where something is wrong."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.fuzz.dialects import DIALECTS
from tests.fuzz.mutants import MUTANTS
from tests.fuzz.run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=1_200.0, help="at most")
    parser.add_argument("--seed", type=int, default=None, help="the same streams again")
    parser.add_argument("--engine", choices=DIALECTS, default="mitmproxy")
    parser.add_argument("--mutants", action="store_true", help="the proxy without one guard at a time: 1 if one passes")
    given = parser.parse_args()
    number = given.seed if given.seed is not None else secrets.randbelow(2**32)
    sys.stdout.write(f"seed {number}\n")
    sys.stdout.flush()
    if given.mutants:
        return _mutants(number, given.requests, given.seconds)
    found = fuzz(number=number, count=given.requests, seconds=given.seconds, engine=given.engine)
    sys.stdout.write(f"{found}\n")
    return bool(found.wrong)


def _mutants(number: int, count: int, seconds: float) -> int:
    passed = 0
    for name, mutant in MUTANTS.items():
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            package = mutant.make(Path(folder))
            found = fuzz(number=number, count=count, seconds=seconds, package=package, shrink=False)
        passed += not found.wrong
        told = f"noticed after {found.sent} requests" if found.wrong else f"NOT noticed in {found.sent} requests"
        sys.stdout.write(f"{name}: {told}\n")
        sys.stdout.flush()
    return bool(passed)


if __name__ == "__main__":
    sys.exit(main())
