"""`strangler workshop`: a learner's way through the steps."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from strangler.errors import StranglerError

_VERBS = {
    "start": "begin, or go on: the next step, once this one is done",
    "check": "what is not right yet, and where to look",
    "watch": "check whenever you save",
    "hint": "one hint more",
    "solve": "lay out the step as it is solved",
    "reset": "lay out the step as it begins",
    "jump": "go to a step, forwards or back",
    "list": "all steps, and how far you are",
    "quit": "stop all that runs; your files stay",
}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    command = commands.add_parser("workshop", help="learn it step by step, in a folder of your own")
    command.add_argument("--in", dest="folder", type=Path, metavar="FOLDER", help="where you work")
    verbs = command.add_subparsers(required=True, metavar="VERB", dest="verb")
    for name, text in _VERBS.items():
        verb = verbs.add_parser(name, help=text)
        if name == "start":
            verb.add_argument("new", nargs="?", type=Path, metavar="FOLDER", help="a new one (.run/workshop/<you>)")
        if name == "jump":
            verb.add_argument("number", type=int, metavar="N")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    # The shop's parts share the proxy's route table, which is not installed in this tree.
    sys.path.append(str(Path(__file__).resolve().parents[3] / "proxy"))
    from strangler.workshop.lessons import verbs  # noqa: PLC0415 - what it needs is a lot, and only needed here
    from strangler.workshop.room import is_full  # noqa: PLC0415

    try:
        getattr(verbs, {"list": "show"}.get(options.verb, options.verb))(options)
    except OSError as error:
        if not is_full(error):
            raise
        raise StranglerError(
            "the disk is full; what you have written is still there. Make room, and give the same command again"
        ) from error
