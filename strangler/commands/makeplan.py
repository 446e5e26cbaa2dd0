"""`strangler makeplan`: a plan to start with, for one seam."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.commands.project import Commands, add_anew, add_path, add_registries, folder, mapped, named, write_json
from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.analysis.deletions import Key


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("makeplan", help="a plan to start with, for one seam, and what it leaves to a person")
    command.add_argument("seam", help="as propose names it")
    add_path(command)
    command.add_argument("--service", help="the service's name (the seam's)")
    command.add_argument("--into", type=Path, metavar="FOLDER", help="write FOLDER/plan.py and FOLDER/tasks.md")
    command.add_argument("--exercise", action="store_true", help="also FOLDER/exercise.md: its steps, checks and hints")
    command.add_argument("--json", action="store_true")
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
    seam = named(graph, options.seam, options)
    made = draft(found, graph, seam, options.service or re.sub(r"[^a-z0-9_]+", "_", seam.name.lower()).strip("_"))
    if options.json:
        write_json({"plan": made.text, "operations": made.operations, "tasks": made.tasks})
        if options.into is None:
            return
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
    told = [f"{plan}: what the plan does", f"{tasks}: {len(made.tasks)} things that it leaves to you"]
    if made.keys:
        told.append(_written(made.keys, folder(options), options.into / "on_delete.patch"))
    if options.exercise:
        from strangler.analysis.exercise import Places, exercise  # noqa: PLC0415

        places = Places(plan=options.into.name, project=str(options.path))
        (options.into / "exercise.md").write_text(exercise(seam, made, places), encoding="utf-8")
    (sys.stderr if options.json else sys.stdout).writelines(f"{line}\n" for line in told)


def _written(keys: Sequence[Key], root: Path, file: Path) -> str:
    """Write the patch of the models that the plan waits for; what it does, as a sentence."""
    from strangler.analysis.deletions import patch  # noqa: PLC0415

    text, left = patch(keys, lambda path: (root / path).read_bytes())
    if left:
        sys.stderr.write(
            f"strangler: the on_delete of {len(left)} keys is left to you; {file.parent}/tasks.md names it\n"
        )
    if not text:
        return f"{len(keys)} keys wait for another on_delete"
    file.write_bytes(text.encode())
    return f"{file}: another on_delete for {len(keys) - len(left)} keys, which the plan waits for: patch -p1 -d {root}"
