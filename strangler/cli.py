"""The command `strangler`: what needs no Django settings, and what looks at a running project by its settings."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import util

from strangler.commands import blast, contracts, dashboard, follow, makeplan, map, propose, report, status, trace
from strangler.errors import StranglerError

_COMMANDS = (map, propose, makeplan, contracts, report, trace, blast, follow, status, dashboard)
_EXTRAS = {"rich": "terminal", "pymysql": "mysql"}
"""What brings a package that may not be there; else it is "map"."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 with one sentence where it cannot be done."""
    options = _parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every character of a project
    try:
        options.run(options)
    except StranglerError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return 1
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(error.name or "", "map")
        sys.stderr.write(f'strangler: {error.name} is not installed; run: pip install "django-strangler[{extra}]"\n')
        return 1
    except BrokenPipeError:
        return 0  # whoever reads has seen enough
    except OSError as error:
        sys.stderr.write(f'strangler: "{error.filename}" cannot be read or written ({error.strerror})\n')
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="strangler", description="Take a Django monolith apart while it runs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    if util.find_spec("strangler.workshop") is not None:  # in a checkout alone: the wheel has no shop
        from strangler.workshop.lessons import command as workshop  # noqa: PLC0415

        workshop.add(commands)
    if util.find_spec("strangler.compare") is not None:
        from strangler.compare import command as comparison  # noqa: PLC0415

        comparison.add(commands)
    return parser
