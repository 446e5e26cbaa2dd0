"""`strangler makeplan`: a plan to start with, for one seam."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from strangler.commands.project import Commands, add_anew, add_path, add_registries, mapped, named
from strangler.errors import StranglerError


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("makeplan", help="a plan to start with, for one seam, and what it leaves to a person")
    command.add_argument("seam", help="as propose names it")
    add_path(command)
    command.add_argument("--service", help="the service's name (the seam's)")
    command.add_argument("--into", type=Path, metavar="FOLDER", help="write FOLDER/plan.py and FOLDER/tasks.md")
    command.add_argument("--exercise", action="store_true", help="also FOLDER/exercise.md: its steps, checks and hints")
    add_anew(command)
    add_registries(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis.drafting import draft  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415

    if options.exercise and options.into is None:
        raise StranglerError("--exercise is written beside the plan: name its folder with --into")
    found = mapped(options)
    graph = graph_of(found)
    seam = named(graph, options.seam)
    made = draft(found, graph, seam, options.service or re.sub(r"[^a-z0-9_]+", "_", seam.name.lower()).strip("_"))
    if options.into is None:
        sys.stdout.write(made.text)
        sys.stdout.writelines(f"# {task}\n" for task in made.tasks)
        return
    plan, tasks = options.into / "plan.py", options.into / "tasks.md"
    if plan.exists():
        raise StranglerError(f'"{plan}" is there already; nothing was written')
    options.into.mkdir(parents=True, exist_ok=True)
    plan.write_text(made.text, encoding="utf-8")
    tasks.write_text("".join(f"- [ ] {task}\n" for task in made.tasks), encoding="utf-8")
    if options.exercise:
        from strangler.analysis.exercise import Places, exercise  # noqa: PLC0415

        places = Places(plan=options.into.name, project=str(options.path))
        (options.into / "exercise.md").write_text(exercise(seam, made, places), encoding="utf-8")
    sys.stdout.write(f"{plan}: what the plan does\n{tasks}: {len(made.tasks)} things that it leaves to you\n")
