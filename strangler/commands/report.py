"""`strangler report`: the map as one page."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.commands.project import (
    Commands,
    add_anew,
    add_path,
    add_registries,
    add_trace,
    folder,
    mapped,
    seams,
    with_trace,
)
from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.analysis.history.drift import Point

_COMMITS = 8


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
    command.add_argument("--commits", type=int, metavar="N", help="map N earlier commits first, for the history")
    command.add_argument("--since", metavar="REF", help="spread them from this commit on (8, unless --commits says)")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis import page  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.history.apps import apps_together  # noqa: PLC0415
    from strangler.analysis.history.drift import history_of, point  # noqa: PLC0415
    from strangler.analysis.history.points import when  # noqa: PLC0415
    from strangler.analysis.observed.beside import crossing  # noqa: PLC0415
    from strangler.analysis.observed.showing import as_text  # noqa: PLC0415

    root, file = folder(options), options.page
    found, picture = with_trace(mapped(options), options)
    before = history_of(file.read_text(encoding="utf-8", errors="replace")) if file.exists() else []
    if file.exists() and not before:
        raise StranglerError(f'"{file}" is there and is no report; name another file')
    before = _with_earlier(before, options)
    graph = graph_of(found)
    now = point(found, when(int(time.time())), _commit(root))
    found_seams = seams(graph, options)
    crossings = {one.name: crossing(graph, one, picture) for one in found_seams} if picture is not None else {}
    sentences = list(as_text(picture)) if picture is not None else []
    text = page.page(
        root.name,
        found,
        graph,
        found_seams,
        [*before, now],
        observed=crossings,
        sentences=sentences,
        together=apps_together(root, found),
    )
    file.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{file}: {now.couplings:,} couplings between apps\n")


def _with_earlier(carried: list[Point], options: argparse.Namespace) -> list[Point]:
    """The history with earlier commits in it, where somebody asks for them."""
    from strangler.analysis.history import points  # noqa: PLC0415
    from strangler.analysis.history.git import find_repository  # noqa: PLC0415
    from strangler.analysis.kept import Kept, usual_place  # noqa: PLC0415

    if options.commits is None and options.since is None:
        return carried
    count = _COMMITS if options.commits is None else options.commits
    if count < 1:
        raise StranglerError("--commits is a number from 1 on")
    repository = find_repository(folder(options))
    commits = points.commits_before(repository, count, options.since)
    found = []
    for number, one in enumerate(points.points(repository, commits, Kept(usual_place())), 1):
        what = one if isinstance(one, str) else f"{one.commit}: {one.couplings:,} couplings between apps"
        sys.stderr.write(f"{number} of {len(commits)}: {what}\n")
        found += [] if isinstance(one, str) else [one]
    return points.joined(carried, found)


def _commit(root: Path) -> str:
    """The commit that is checked out; empty where nobody can tell."""
    try:
        command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
