"""`strangler blast`: what a change can reach."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.commands.progress import progress
from strangler.commands.project import Commands, add_anew, add_trace, kept, write_json

if TYPE_CHECKING:
    from strangler.analysis.observed.running import Ran
    from strangler.analysis.reach.blasting import Blast


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("blast", help="which routes, tasks, tables and tests a change can reach")
    command.add_argument(
        "about",
        nargs="*",
        metavar="WHAT",
        help='"REF..REF", or files, with lines perhaps: "a.py:10-20" (without any: what is not committed)',
    )
    command.add_argument("--project", default=".", type=Path, metavar="PATH", help="the project's folder (here)")
    command.add_argument("--tests", action="store_true", help="only the tests to run, one a line, for pytest")
    command.add_argument("--json", action="store_true")
    add_trace(command)
    add_anew(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis.observed.running import as_text  # noqa: PLC0415
    from strangler.analysis.reach import showing  # noqa: PLC0415
    from strangler.analysis.reach.asking import ask  # noqa: PLC0415

    root = options.project.resolve()
    with progress() as tell:
        answer = ask(root, options.about, kept(options), tell)
    ran = _ran(options.trace, answer.blast) if options.trace is not None else None
    if options.json:
        more = {} if ran is None else {"observed": [asdict(one) for one in ran]}
        write_json(showing.as_json(answer) | more)
        return
    if not options.tests:
        sys.stdout.writelines(f"{line}\n" for line in showing.as_text(answer))
        if ran is not None:
            sys.stdout.writelines(f"{line}\n" for line in as_text(ran))
        return
    # pytest wants paths as they are from where it is started.
    here = Path.cwd()
    below = f"{root.relative_to(here).as_posix()}/" if root != here and root.is_relative_to(here) else ""
    observed = [one.name for one in ran or () if one.kind == "test"]
    sys.stdout.writelines(f"{below}{test}\n" for test in dict.fromkeys((*showing.tests(answer), *observed)))
    sys.stderr.writelines(f"strangler: {sentence}\n" for sentence in answer.blast.sentences)


def _ran(folder: Path, blast: Blast) -> list[Ran]:
    """Who was observed to run what is changed."""
    from strangler.analysis.observed.reading import read_trace  # noqa: PLC0415
    from strangler.analysis.observed.running import who_ran  # noqa: PLC0415

    nodes = [touched.node for touched in blast.touched]
    return who_ran(read_trace(folder), nodes, [(entry.kind, entry.name) for entry in blast.entries])
