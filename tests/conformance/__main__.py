"""Runs the cases on all live engines and writes the table in docs/engines.md; ends with 1 where one went wrong.

Afterwards it applies a table to each a thousand times under load, of which no request may be lost.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.conformance import report
from tests.conformance.cases import by_feature
from tests.conformance.engines import LIVE, stage
from tests.conformance.load import apply_under_load
from tests.conformance.run import run

_TIMES = 1_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", default=list(LIVE), help="those alone, and nothing is written")
    given = parser.parse_args()
    features, wrong = by_feature(), 0
    cells: dict[str, dict[str, str]] = {}
    for name in given.engines:
        if (missing := LIVE[name].missing()) is not None:
            sys.stderr.write(f"conformance: {missing}\n")
            return 1
        began, count = time.monotonic(), 0
        with stage(LIVE[name]) as ready:
            cells[name] = {}
            for feature, cases in features.items():
                outcomes = run(ready, cases)
                cells[name][feature] = report.cell(outcomes)
                count += len(outcomes)
                for outcome in outcomes:
                    if outcome.wrong:
                        wrong += 1
                        sys.stdout.write(f"{name}: {outcome}\n")
            sys.stdout.write(f"{name}: {count} cases in {time.monotonic() - began:.1f} s\n")
            clients = apply_under_load(ready, _TIMES)
        wrong += len(clients.wrong)
        lost = f"{len(clients.wrong)} of {clients.answered} requests lost while a table was applied {_TIMES} times"
        sys.stdout.write(f"{name}: {lost}{''.join(f', {each}' for each in clients.wrong[:3])}\n")
    if not wrong and given.engines == list(LIVE):
        report.write(cells)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
