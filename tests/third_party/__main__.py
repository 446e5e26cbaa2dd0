"""Maps real projects, each as it is pinned, and says what differs from the tree; 1 where something does.

With --renew what is found becomes what the tree and docs/third-party.md say. --draw prints couplings to be judged.
STRANGLER_PROJECTS names a folder of other projects: what the map of each comes to is printed, compared with nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.third_party import figures, report, samples
from tests.third_party.figures import Figures
from tests.third_party.measuring import measured
from tests.third_party.projects import Unreachable, pins, unpacked

_AT_A_TIME = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="*", default=list(pins()), help="those alone")
    parser.add_argument("--renew", action="store_true", help="keep what is found, and write the document's tables")
    parser.add_argument("--draw", type=int, metavar="SEED", help="50 couplings of each to be judged")
    given = parser.parse_args()
    try:
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            results = list(pool.map(lambda name: _one(name, given.renew, given.draw), given.projects))
    except Unreachable as error:
        sys.stderr.write(f"third-party: {error}\n")
        return 1
    if given.renew:
        tables = report.rendered({name: figures.kept(name) for name in pins()})
        report.DOCS.write_text(report.replaced(report.DOCS.read_text(), tables))
    for folder in _others():
        found, now = measured(folder)
        sys.stdout.writelines(f"{line}\n" for line in (_told(folder.name, now), *(f"  {seam}" for seam in now.seams)))
        if given.draw is not None:
            sys.stdout.writelines(f"{line}\n" for line in samples.drawn(found, given.draw))
    return int(not all(results))


def _others() -> list[Path]:
    """Projects of somebody's own, by hand."""
    place = os.environ.get("STRANGLER_PROJECTS")
    return sorted(path for path in Path(place).iterdir() if path.is_dir()) if place else []


def _one(name: str, renew: bool, draw: int | None) -> bool:
    found, now = measured(unpacked(name))
    if draw is not None:
        sys.stdout.writelines(f"{line}\n" for line in samples.drawn(found, draw))
        return True
    if renew:
        figures.keep(name, now)
    wrong = [
        *figures.differences(figures.kept(name), now),
        *samples.contradictions(
            found, [one for sort in (samples.DRAWN, samples.READ) for one in samples.judged(name, sort)]
        ),
    ]
    sys.stdout.write("".join(f"{line}\n" for line in (_told(name, now), *(f"{name}: {one}" for one in wrong))))
    return not wrong


def _told(name: str, now: Figures) -> str:
    return (
        f"{name}: {now.lines:,} lines, {now.apps} apps, {now.models} models; {sum(now.couplings.values()):,} couplings "
        f"between apps in {now.seconds} s of a processor and {now.megabytes} MB"
    )


if __name__ == "__main__":
    sys.exit(main())
