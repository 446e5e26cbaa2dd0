"""What a map costs by the project's size, cold and warm, beside grimp; and how long its page takes to open.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_map.py [--docs docs]

The trees are real projects side by side (map_trees.py); every map and every grimp is a process of its own.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from math import log
from pathlib import Path

from map_trees import packages, trees
from page_time import browser, opened
from plot import log_log
from processes import cost

HUNDRED, SEVEN = 100_000, 700_000
BOUNDS = {HUNDRED: 15.0, SEVEN: 60.0}
MEGABYTES = 1024
WARM = 0.10
OPENS, MODELS, TIMES = 2.0, 150, 3
_STRANGLER = "import sys; from strangler.cli import main; sys.exit(main(sys.argv[1:]))"
_GRIMP = (
    "import json, sys, grimp; names, sys.path[:0] = map(json.loads, sys.argv[1:]); "
    "print(len(grimp.build_graph(*names, cache_dir=None).modules))"
)


@dataclass(frozen=True, kw_only=True)
class Size:
    """What was measured at one size."""

    lines: int
    files: int
    models: int
    couplings: int
    cold: float
    processor: float
    megabytes: float
    warm: float
    warm_processor: float
    grimp: float
    grimp_processor: float
    grimp_megabytes: float


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--docs", type=Path, help="directory to write map-growth.svg to; default: print alone")
    parser.add_argument("--sizes", type=int, default=99, help="only so many, from the smallest on")
    options = parser.parse_args()
    if options.docs is not None and not options.docs.is_dir():
        parser.error(f'there is no directory "{options.docs}"')
    _say(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        everything = trees(place)[: options.sizes]
        sizes = [measured(tree, place) for tree in everything]
        page, models = report(everything[min(1, len(everything) - 1)], place)
        seconds = statistics.median(opened(page) for _ in range(TIMES)) if browser() else None
        kilobytes = page.stat().st_size >> 10
    for line in table(sizes):
        _say(line)
    if options.docs is not None:
        (options.docs / "map-growth.svg").write_text(log_log(lines(sizes), "lines", "seconds"), encoding="utf-8")
    _say(f"report of {models} models, {kilobytes:,} kB: {'no browser here' if seconds is None else f'{seconds:.2f} s'}")
    _say(summary(sizes, models, seconds))


def measured(tree, place):
    """One size: a cold map, a warm one, grimp."""
    environment = {**os.environ, "XDG_CACHE_HOME": tempfile.mkdtemp(dir=place)}
    command = [sys.executable, "-c", _STRANGLER, "map", str(tree), "--json"]
    cold = cost(command, environment)
    warm = cost(command, environment)
    assert cold.output == warm.output, f'the map of "{tree}" is another one from the cache'
    found = json.loads(cold.output)
    beside = grimp(tree)
    size = Size(
        lines=found["lines"],
        files=found["files"],
        models=len(found["models"]),
        couplings=len(found["couplings"]),
        cold=cold.seconds,
        processor=cold.processor,
        megabytes=cold.megabytes,
        warm=warm.seconds,
        warm_processor=warm.processor,
        grimp=beside.seconds,
        grimp_processor=beside.processor,
        grimp_megabytes=beside.megabytes,
    )
    _say(f"{size.lines:,} lines: cold {size.cold:.1f} s, {size.megabytes:,.0f} MB; warm {size.warm:.2f} s")
    return size


def grimp(tree):
    """What grimp's graph of the same packages costs, without its cache; it knows imports alone."""
    return cost([sys.executable, "-c", _GRIMP, *map(json.dumps, packages(tree))])


def report(tree, place):
    """(the page of a tree, how many models it shows)."""
    page = place / "report.html"
    environment = {**os.environ, "XDG_CACHE_HOME": str(place / "report")}
    cost([sys.executable, "-c", _STRANGLER, "report", str(page), str(tree)], environment)
    found = json.loads(cost([sys.executable, "-c", _STRANGLER, "map", str(tree), "--json"], environment).output)
    return page, len(found["models"])


def table(sizes):
    heads = ("lines", "files", "models", "couplings", "cold s", "of a processor", "peak MB", "warm s", "warm/cold")
    yield f"| {' | '.join((*heads, 'grimp s', 'of a processor', 'peak MB'))} |"
    yield f"|{'---|' * 12}"
    for one in sizes:
        yield (
            f"| {one.lines:,} | {one.files:,} | {one.models} | {one.couplings:,} | {one.cold:.1f} "
            f"| {one.processor:.1f} | {one.megabytes:,.0f} | {one.warm:.2f} | {one.warm / one.cold:.2f} "
            f"| {one.grimp:.1f} | {one.grimp_processor:.1f} | {one.grimp_megabytes:,.0f} |"
        )


def lines(sizes):
    figures = {"cold": "cold", "cold, of a processor": "processor", "warm": "warm", "grimp": "grimp"}
    return {title: [(one.lines, getattr(one, name)) for one in sizes] for title, name in figures.items()}


def summary(sizes, models, seconds):
    """One line: what was asked for, and whether it was reached."""
    said = []
    for lines_, bound in BOUNDS.items():
        one = next((one for one in sizes if one.lines >= lines_), None)
        if one is not None:
            there = one.cold <= bound and one.megabytes <= MEGABYTES
            said.append(f"{one.lines:,} lines {one.cold:.1f}/{bound:.0f} s {one.megabytes:,.0f} MB {_verdict(there)}")
    warm = max(one.warm / one.cold for one in sizes)
    said.append(f"warm {warm:.1%} of cold at most {_verdict(warm <= WARM)}")
    if len(sizes) > 1:
        said.append(f"growth exponent {exponent(sizes):.2f} (1 is linear)")
    if seconds is not None:
        said.append(f"page of {models} models {seconds:.2f} s {_verdict(seconds < OPENS and models >= MODELS)}")
    return "bench-map: " + "; ".join(said)


def exponent(sizes):
    first, last = sizes[0], sizes[-1]
    return log(last.processor / first.processor) / log(last.lines / first.lines)


def _verdict(there):
    return "ok" if there else "MISSED"


def _say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
