"""`strangler report`: the map as one page."""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from strangler.commands.project import (
    Commands,
    add_anew,
    add_path,
    add_registries,
    add_trace,
    folder,
    mapped,
    with_trace,
)
from strangler.errors import StranglerError


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser(
        "report", help="the map and its seams as one page of HTML, with the drift since the last"
    )
    command.add_argument("page", type=Path, help="the file to write; an earlier report there gives the history")
    add_path(command)
    add_anew(command)
    add_registries(command)
    add_trace(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis import page  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.observed.beside import crossing  # noqa: PLC0415
    from strangler.analysis.observed.showing import as_text  # noqa: PLC0415
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    root, file = folder(options), options.page
    found, picture = with_trace(mapped(options), options)
    before = page.history_of(file.read_text(encoding="utf-8", errors="replace")) if file.exists() else []
    if file.exists() and not before:
        raise StranglerError(f'"{file}" is there and is no report; name another file')
    graph = graph_of(found)
    now = page.point(found, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), _commit(root))
    seams = find_seams(graph)
    crossings = {one.name: crossing(graph, one, picture) for one in seams} if picture is not None else {}
    sentences = list(as_text(picture)) if picture is not None else []
    text = page.page(root.name, found, graph, seams, [*before, now], observed=crossings, sentences=sentences)
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{file}: {now.couplings:,} couplings between apps\n")


def _commit(root: Path) -> str:
    """The commit that is checked out; empty where nobody can tell."""
    try:
        command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
