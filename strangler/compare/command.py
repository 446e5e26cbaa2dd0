"""`strangler compare`: run the comparison, or show again what was found."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.compare.comparing import Wish
    from strangler.compare.results import Results

_USUAL = "monolith,modular,services"
_REPORT = Path(".run") / "comparison.html"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("compare", help="monolith, modular monolith and services under the same load")
    command.add_argument(
        "--quick", action="store_true", help="a fifth of the time: few repetitions, no verdicts, each part only killed"
    )
    command.add_argument(
        "--null", action="store_true", help="try the comparison itself: it may find 10 ms, and no more"
    )
    command.add_argument("--arms", default=_USUAL, help=f"the first is what others are held against ({_USUAL})")
    command.add_argument("--seed", type=int, default=1, help="of the order of runs and of the times of requests (1)")
    command.add_argument("--memory", type=int, default=2048, metavar="MB", help="that each arm may use in all (2048)")
    command.add_argument(
        "--report", type=Path, default=_REPORT, help=f"the page to write, raw data beside it ({_REPORT})"
    )
    command.add_argument("--again", type=Path, metavar="JSON", help="measure nothing: show what a file has")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.compare import null, page, summary  # noqa: PLC0415
    from strangler.compare.comparing import compare  # noqa: PLC0415

    options.report.parent.mkdir(parents=True, exist_ok=True)
    if options.again is not None:
        results = _read(options.again)
    else:
        results = compare(_wish(options), _say)
        raw = json.dumps(results.as_json(), indent=1) + "\n"
        options.report.with_suffix(".json").write_text(raw, encoding="utf-8")
    options.report.write_text(page.page(results), encoding="utf-8")
    sys.stdout.write(f"{summary.text(results)}\nThe report: {options.report}\n")
    if options.null and (found := list(null.mistakes(results))):
        raise StranglerError(f"the comparison is wrong: {'; '.join(found)}")


def _read(file: Path) -> Results:
    from strangler.compare.results import Results  # noqa: PLC0415

    try:
        return Results.of_json(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError) as error:
        raise StranglerError(
            f'"{file}" has no results of a comparison ({error}); name the JSON beside a report'
        ) from error


def _wish(options: argparse.Namespace) -> Wish:
    from strangler.compare.comparing import Wish  # noqa: PLC0415
    from strangler.compare.kinds import NULL, kind_of  # noqa: PLC0415
    from strangler.compare.sizes import FULL, QUICK  # noqa: PLC0415

    if options.null:
        return Wish(kinds=NULL, size=FULL, seed=options.seed, memory=options.memory * 2**20, load_alone=True)
    names = options.arms.split(",")
    kinds = [kind_of(name) for name in names]
    if len(set(names)) != len(names) or len(names) < 2:
        raise StranglerError(f'"{options.arms}" does not name two or more different arms')
    return Wish(
        kinds=kinds,
        size=QUICK if options.quick else FULL,
        seed=options.seed,
        memory=options.memory * 2**20,
    )


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
