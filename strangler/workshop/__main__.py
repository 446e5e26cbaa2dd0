"""python -m strangler.workshop up | down | demo | restart PART | stop PART | shoppers | problems"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from strangler.errors import StranglerError
from strangler.workshop.instance import PASSWORD, ROOT, Instance
from strangler.workshop.room import is_full
from strangler.workshop.shoppers import process
from strangler.workshop.system import System

_SHOPPERS = 6
_PAUSE = 0.2


def main() -> int:
    """Run the named command; 1 with one sentence where it fails."""
    parser = argparse.ArgumentParser(prog="python -m strangler.workshop", description="Orchard on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("up", "down", "demo"):
        commands.add_parser(name)
    commands.add_parser("restart", help="have a part run the code as it is now").add_argument("part")
    commands.add_parser("stop", help="stop a part").add_argument("part")
    commands.add_parser("problems", help="measure the seven problems of docs/orchard.md")
    commands.add_parser("shoppers", help="have people shop, who note what they are told in journal.jsonl")
    options = parser.parse_args()
    command = options.command
    try:
        from strangler.workshop.demo import clear_killed_demos, demo  # noqa: PLC0415

        if command == "demo":
            return demo(record=os.environ.get("RECORD") == "1")
        home = Path(os.environ.get("STRANGLER_RUN") or ROOT / ".run" / "orchard")
        system = System(Instance(home=home, aws=True), _say)
        if command == "up":
            system.up(_port_base())
            _say(_addresses(system.instance))
        elif command in {"restart", "stop"}:
            _change(system, command, options.part)
        elif command == "shoppers":
            _shop(system)
        elif command == "problems":
            _measure(system)
        else:
            clear_killed_demos()
            system.down()
            _say("Orchard is down; its data stays for the next time")
    except StranglerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except OSError as error:
        if not is_full(error):
            raise
        sys.stderr.write("the disk is full; make room, and give the same command again\n")
        return 1
    return 0


def _change(system: System, command: str, part: str) -> None:
    running = system.supervisor.names()
    if part not in running:
        does = ", ".join(running) or 'nothing; "make up" starts it all'
        raise StranglerError(f'"{part}" does not run; what does is {does}')
    if command == "restart":
        system.restart(part)
        _say(f"{part} runs anew")
    else:
        system.supervisor.stop(part)
        _say(f"{part} is stopped")


def _shop(system: System) -> None:
    if "proxy" not in system.supervisor.names():
        raise StranglerError('there is no shop to go to; "make up" opens it')
    journal = system.instance.home / "journal.jsonl"
    system.supervisor.start(process(system.instance, journal, people=_SHOPPERS, pause=_PAUSE, seed=int(time.time())))
    _say(f'{_SHOPPERS} people shop, and note it in {journal}; "python -m strangler.workshop stop shoppers" ends it')


def _measure(system: System) -> None:
    if "orchard" not in system.supervisor.names():
        raise StranglerError('nothing runs that could be measured; "make up" starts it')
    from strangler.workshop.problems import Measured, measure, write  # noqa: PLC0415 - it needs a map's libraries

    found: list[Measured] = []
    for one in measure(system):
        _say(str(one))
        found.append(one)
    write(system.instance.home / "problems.json", found)


def _port_base() -> int:
    given = os.environ.get("STRANGLER_PORT_BASE", "8000")
    if not given.isdigit() or not 1024 <= int(given) <= 32_000:
        raise StranglerError(f'STRANGLER_PORT_BASE is "{given}"; give a number from 1024 to 32000')
    return int(given)


def _addresses(instance: Instance) -> str:
    return f"""
Orchard is up, behind the proxy:  {instance.url("proxy")}/
  the shop itself                 {instance.url("orchard")}/
  the reviews service             {instance.url("reviews")}/api/reviews/
  mails sent through SES          {instance.url("aws")}/mailbox/
  log in as                       dmitri3, or as admin; password {PASSWORD}

In a shell of your own:           source {instance.home / "env"}
  python manage.py showplans
  python manage.py applyplan 0001_reviews
  python manage.py planstatus 0001_reviews
Stop it with                      make down"""


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
