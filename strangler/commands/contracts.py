"""`strangler contracts`: a seam's border, written down and kept."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from strangler.commands.project import Commands, add_anew, add_path, add_registries, folder, mapped, named, write_json
from strangler.errors import StranglerError


def add(commands: Commands) -> None:
    """Add the command."""
    command = commands.add_parser("contracts", help="a seam's border as a contract that a build keeps")
    command.add_argument("contract", type=Path, help="the contract's file; it is checked, unless it is to be written")
    add_path(command)
    command.add_argument("--write", metavar="SEAM", help="write it for this seam, with all that passes it today")
    command.add_argument("--shrink", action="store_true", help="take out what nobody needs any more")
    command.add_argument("--json", action="store_true", help="how it is kept, for programs")
    command.add_argument("--import-linter", action="store_true", help="print its imports for import-linter")
    add_anew(command)
    add_registries(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from strangler.analysis import contracts  # noqa: PLC0415
    from strangler.analysis.graph import graph_of  # noqa: PLC0415
    from strangler.analysis.owners import read_owners  # noqa: PLC0415

    root, file = folder(options), options.contract
    found = mapped(options)
    if options.write is not None:
        if file.exists():
            raise StranglerError(f'"{file}" is there already; a contract never grows: --shrink it, or remove it')
        contract = contracts.make_contract(found, named(graph_of(found), options.write, options), read_owners(root))
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
    if options.json:
        write_json(kept.as_json())
        if kept.new or kept.gone:
            raise StranglerError(f"the border of {contract.name} is not as its contract says")
        return
    if kept.new or kept.gone:
        raise StranglerError(f"the border of {contract.name} is not as its contract says\n{kept}")
    sys.stdout.write(f"kept; {sum(contract.baseline.values())} couplings still pass the border of {contract.name}\n")
