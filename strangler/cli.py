"""The command `strangler`: what needs no Django settings. Parses, delegates, prints."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from strangler.analysis.coupling import Kind
from strangler.errors import StranglerError

if TYPE_CHECKING:
    from strangler.analysis.graph import Graph
    from strangler.analysis.mapping import Map
    from strangler.analysis.seams import Seam


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 with one sentence where it cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except StranglerError as error:
        sys.stderr.write(f"strangler: {error}\n")
        return 1
    except ModuleNotFoundError as error:
        sys.stderr.write(f'strangler: {error.name} is not installed; run: pip install "django-strangler[map]"\n')
        return 1
    except BrokenPipeError:
        return 0  # whoever reads has seen enough
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="strangler", description="Take a Django monolith apart while it runs.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("map", help="what ties the apps of a project together; imports and changes nothing")
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")
    command.add_argument(
        "--app", action="append", default=[], help="only couplings from or to this app; may be repeated"
    )
    command.add_argument("--kind", action="append", default=[], choices=[kind.value for kind in Kind], metavar="KIND")
    command.add_argument("--lines", action="store_true", help="each coupling at its line")
    command.add_argument("--tests", action="store_true", help="also those that only tests have")
    command.add_argument("--json", action="store_true")
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")
    command.set_defaults(run=_map)
    command = commands.add_parser("propose", help="where a project could be cut, and what the cut would cost")
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")
    command.add_argument("--seam", help="one of them, with what would have to change first")
    command.add_argument("--move", metavar="NODE", help='what if this model ("app.Model") or module ...')
    command.add_argument("--with", metavar="APP", dest="app", help="... belonged to this app")
    command.add_argument("--json", action="store_true")
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")
    command.set_defaults(run=_propose)
    command = commands.add_parser("makeplan", help="a plan to start with, for one seam, and what it leaves to a person")
    command.add_argument("seam", help="as propose names it")
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")
    command.add_argument("--service", help="the service's name (the seam's)")
    command.add_argument("--into", type=Path, metavar="FOLDER", help="write FOLDER/plan.py and FOLDER/tasks.md")
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")
    command.set_defaults(run=_makeplan)
    command = commands.add_parser("contracts", help="a seam's border as a contract that a build keeps")
    command.add_argument("contract", type=Path, help="the contract's file; it is checked, unless it is to be written")
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")
    command.add_argument("--write", metavar="SEAM", help="write it for this seam, with all that passes it today")
    command.add_argument("--shrink", action="store_true", help="take out what nobody needs any more")
    command.add_argument("--import-linter", action="store_true", help="print its imports for import-linter")
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")
    command.set_defaults(run=_contracts)
    command = commands.add_parser(
        "report", help="the map and its seams as one page of HTML, with the drift since the last"
    )
    command.add_argument("page", type=Path, help="the file to write; an earlier report there gives the history")
    command.add_argument("path", nargs="?", default=".", type=Path, help="the project's folder (here)")
    command.add_argument("--anew", action="store_true", help="use nothing that was found before")
    command.set_defaults(run=_report)
    return parser


def _mapped(options: argparse.Namespace) -> Map:
    # Not above, here and below: what an extra brings may not be there.
    from strangler.analysis.kept import Kept, usual_place  # noqa: PLC0415
    from strangler.analysis.mapping import make_map  # noqa: PLC0415

    return make_map(options.path.resolve(), Kept(None if options.anew else usual_place()))


def _named(graph: Graph, name: str) -> Seam:
    """The seam that propose calls so."""
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    found = next((one for one in find_seams(graph) if one.name == name), None)
    if found is None:
        raise StranglerError(f'there is no seam "{name}"; "strangler propose" lists them')
    return found


def _map(options: argparse.Namespace) -> None:
    from strangler.analysis import showing  # noqa: PLC0415

    found = _mapped(options)
    couplings = [
        coupling
        for coupling in found.couplings
        if (options.tests or not coupling.test)
        and (not options.kind or coupling.kind in options.kind)
        and set(options.app) <= {coupling.source_app, coupling.target_app}
    ]
    if options.json:
        json.dump(showing.as_json(found, couplings), sys.stdout, indent=1)
    else:
        for line in showing.as_lines(couplings) if options.lines else showing.as_text(found, couplings):
            sys.stdout.write(f"{line}\n")


def _propose(options: argparse.Namespace) -> None:
    from strangler.analysis import showing  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    if (options.move is None) != (options.app is None):
        raise StranglerError("--move and --with go together: --move reviews.Vote --with catalog")
    graph = graph_of(_mapped(options))
    try:
        graph = graph.moved(options.move, options.app) if options.move is not None else graph
    except ValueError as error:
        raise StranglerError(str(error)) from error
    seams = find_seams(graph) if options.seam is None else [_named(graph, options.seam)]
    if options.json:
        json.dump([showing.seam_as_json(one) for one in seams], sys.stdout, indent=1)
    else:
        lines = showing.seam_as_text(seams[0]) if options.seam is not None else showing.seams_as_text(graph, seams)
        sys.stdout.writelines(f"{line}\n" for line in lines)


def _makeplan(options: argparse.Namespace) -> None:
    from strangler.analysis.drafting import draft  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415

    found = _mapped(options)
    graph = graph_of(found)
    seam = _named(graph, options.seam)
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
    sys.stdout.write(f"{plan}: what the plan does\n{tasks}: {len(made.tasks)} things that it leaves to you\n")


def _contracts(options: argparse.Namespace) -> None:
    from strangler.analysis import contracts  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.owners import read_owners  # noqa: PLC0415

    root, file = options.path.resolve(), options.contract
    found = _mapped(options)
    if options.write is not None:
        if file.exists():
            raise StranglerError(f'"{file}" is there already; a contract never grows: --shrink it, or remove it')
        contract = contracts.make_contract(found, _named(graph_of(found), options.write), read_owners(root))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(contract.to_json(), encoding="utf-8")
        sys.stdout.write(f"{file}: {sum(contract.baseline.values())} couplings pass this border today\n")
        return
    try:
        contract = contracts.Contract.from_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StranglerError(f'"{file}" cannot be read ({error}); write one with --write SEAM') from error
    if options.import_linter:
        sys.stdout.write(contracts.import_linter(found, contract))
        return
    kept = contracts.check(found, contract)
    if options.shrink:
        contract = contracts.shrunk(contract, kept)
        file.write_text(contract.to_json(), encoding="utf-8")
        kept = contracts.check(found, contract)
    if kept.new or kept.gone:
        raise StranglerError(f"the border of {contract.name} is not as its contract says\n{kept}")
    sys.stdout.write(f"kept; {sum(contract.baseline.values())} couplings still pass the border of {contract.name}\n")


def _report(options: argparse.Namespace) -> None:
    from strangler.analysis import page  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.seams import find_seams  # noqa: PLC0415

    root, file = options.path.resolve(), options.page
    found = _mapped(options)
    before = page.history_of(file.read_text(encoding="utf-8", errors="replace")) if file.exists() else []
    if file.exists() and not before:
        raise StranglerError(f'"{file}" is there and is no report; name another file')
    graph = graph_of(found)
    now = page.point(found, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), _commit(root))
    file.write_text(page.page(root.name, found, graph, find_seams(graph), [*before, now]), encoding="utf-8")
    sys.stdout.write(f"{file}: {now.couplings:,} couplings between apps\n")


def _commit(root: Path) -> str:
    """The commit that is checked out; empty where nobody can tell."""
    try:
        command = ["git", "-C", str(root), "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
