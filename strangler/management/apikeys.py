"""The words of the command apikeys: read, and passed on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.management.base import CommandParser

from strangler.developers.desk import FORMATS, Desk

_DAY = 86_400.0
_HOUR = 3_600.0


def add_arguments(parser: CommandParser) -> None:
    """One word for each thing that can be done."""
    what = parser.add_subparsers(dest="what", required=True)
    create = what.add_parser("create", help="Make a key and show it, this once.")
    create.add_argument("developer", help="Who is to have it; upstreams are told so.")
    create.add_argument("--plan", default="", help="A plan of the gateway; without one there is no quota.")
    create.add_argument("--scope", action="append", default=[], help="May be given more than once.")
    create.add_argument("--route", action="append", default=[], help="A pattern of paths; without any: all.")
    create.add_argument("--days", type=float, help="How long it is good; without it: for ever.")
    listed = what.add_parser("list", help="Show all keys, without their secrets.")
    listed.add_argument("--json", action="store_true")
    rotate = what.add_parser("rotate", help="Make a new secret for a key and show it, this once.")
    rotate.add_argument("key", help="Its id.")
    rotate.add_argument("--hours", type=float, default=24.0, help="How long the old secret is good; default 24.")
    what.add_parser("revoke", help="Let nobody through for a key.").add_argument("key", help="Its id.")
    used = what.add_parser("usage", help="Collect from all proxies, and show requests by day and key.")
    used.add_argument("--since", type=date.fromisoformat, help="A day of UTC; default 30 days ago.")
    used.add_argument("--until", type=date.fromisoformat, help="A day of UTC; default today.")
    used.add_argument("--format", choices=[*FORMATS], default="text")


def run(desk: Desk, options: Mapping[str, Any]) -> None:
    """Do what was asked. Raises StranglerError."""
    match options["what"]:
        case "create":
            days = options["days"]
            desk.create(
                developer=options["developer"],
                plan=options["plan"],
                scopes=tuple(options["scope"]),
                routes=tuple(options["route"]),
                seconds=None if days is None else days * _DAY,
            )
        case "list":
            desk.show(as_json=options["json"])
        case "rotate":
            desk.rotate(options["key"], keep=options["hours"] * _HOUR)
        case "revoke":
            desk.revoke(options["key"])
        case "usage":
            desk.usage(since=options["since"], until=options["until"], form=options["format"])
