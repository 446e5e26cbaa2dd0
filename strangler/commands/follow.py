"""strangler follow: one trace over all components, from their logs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from strangler.commands.project import Commands
from strangler.errors import StranglerError
from strangler.tracing.logs import Line, lines_of, trace_id, traces_of

_SHOWN = 10


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "follow", help="one request over proxy, monolith, services and workers, by their logs"
    )
    command.add_argument("logs", type=Path, metavar="FOLDER", help="where the components' logs are, NAME.log each")
    command.add_argument(
        "trace", nargs="?", metavar="TRACE", help="an id or a traceparent; without it the latest are listed"
    )
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    lines = lines_of(options.logs)
    for text in _latest(lines) if options.trace is None else _one(lines, trace_id(options.trace)):
        sys.stdout.write(f"{text}\n")


def _one(lines: Sequence[Line], trace: str) -> Iterator[str]:
    found = [line for line in lines if line.trace == trace]
    if not found:
        raise StranglerError(f'no component has logged anything of the trace "{trace}"')
    yield from map(str, found)


def _latest(lines: Sequence[Line]) -> Iterator[str]:
    """The traces that began last, each with what it began with and the components that it came to."""
    for trace in traces_of(lines)[-_SHOWN:]:
        first = trace.lines[0]
        yield f"{trace.id}  {first.began:%H:%M:%S}  {first.text}  ({', '.join(trace.components)})"
