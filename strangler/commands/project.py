"""What commands on a project's folder share: which folder it is, its map, and a seam by its name."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from strangler.commands.progress import progress
from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.analysis.graph import Graph
    from strangler.analysis.kept import Kept
    from strangler.analysis.mapping import Map
    from strangler.analysis.observed.picture import Picture
    from strangler.analysis.seams import Seam

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_path(command: argparse.ArgumentParser) -> None:
    """The argument that says which folder."""
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")


def add_anew(command: argparse.ArgumentParser) -> None:
    """The option to read it all again."""
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")


def add_registries(command: argparse.ArgumentParser) -> None:
    """The consent to run the project's settings, and by what."""
    command.add_argument(
        "--import-settings",
        nargs="?",
        const="",
        metavar="SETTINGS",
        help="ask Django's registries for models and routes, which runs the project's settings and apps; "
        "SETTINGS is what manage.py names, else shop.settings",
    )
    command.add_argument("--python", default=sys.executable, help="the project's own interpreter, for that")


def add_trace(command: argparse.ArgumentParser) -> None:
    """The option to look at what was observed as well."""
    command.add_argument("--trace", type=Path, metavar="FOLDER", help="what was observed too (docs/map.md)")


def with_trace(found: Map, options: argparse.Namespace) -> tuple[Map, Picture | None]:
    """The map with what only the trace saw, and the trace; the map as it is where none is named."""
    if options.trace is None:
        return found, None
    from strangler.analysis.observed.beside import picture_of, with_observed  # noqa: PLC0415
    from strangler.analysis.observed.reading import read_trace  # noqa: PLC0415

    picture = picture_of(read_trace(options.trace), found)
    return with_observed(found, picture), picture


def folder(options: argparse.Namespace) -> Path:
    """The folder that the options name, whole."""
    try:
        return Path(options.path).resolve()
    except RuntimeError as error:
        raise StranglerError(f'"{options.path}" is a link that leads back to itself; name a folder') from error


def mapped(options: argparse.Namespace, *, tell: bool = True) -> Map:
    """The map of the folder that the options name. Tells beside the output what it is made of, if that is not all."""
    # Not above, here and below: what an extra brings may not be there.
    from strangler.analysis.asking import ask  # noqa: PLC0415
    from strangler.analysis.mapping import make_map  # noqa: PLC0415

    root, settings = folder(options), options.import_settings
    asked = ask(root, settings, options.python) if settings is not None else None
    with progress() as waiting:
        found = make_map(root, kept(options), asked=asked, tell=waiting)
    if tell:
        sys.stderr.writelines(f"strangler: {sentence}\n" for sentence in found.said)
        if found.unread:
            left_out = f'the map is partial: {len(found.unread)} files were left out; "strangler map" names them'
            sys.stderr.write(f"strangler: {left_out}\n")
    return found


def kept(options: argparse.Namespace) -> Kept:
    """What was found before, unless the options want nothing of it."""
    from strangler.analysis.kept import Kept, usual_place  # noqa: PLC0415

    return Kept(None if options.anew else usual_place())


def seams(graph: Graph, options: argparse.Namespace) -> list[Seam]:
    """Where the project could be cut, the least open first."""
    from strangler.analysis.communities import kept_communities  # noqa: PLC0415
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    return find_seams(graph, kept_communities(graph, kept(options)))


def named(graph: Graph, name: str, options: argparse.Namespace) -> Seam:
    """The seam that propose calls so."""
    found = next((one for one in seams(graph, options) if one.name == name), None)
    if found is None:
        raise StranglerError(f'there is no seam "{name}"; "strangler propose" lists them')
    return found


def write_json(value: object) -> None:
    """On standard output, in one line: indented, a large map takes longer to write than to find."""
    sys.stdout.write(json.dumps(value) + "\n")
