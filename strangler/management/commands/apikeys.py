"""Give developers keys, take them back, and see how much they are used."""

from typing import Any

from django.core.management.base import CommandParser

from strangler.developers import wiring
from strangler.management import apikeys
from strangler.management.command import StranglerCommand


class Command(StranglerCommand):
    help = "Creates, lists, rotates and revokes the keys of developers, on all proxies, and tells of their usage."

    def add_arguments(self, parser: CommandParser) -> None:
        apikeys.add_arguments(parser)

    def run(self, **options: Any) -> None:
        apikeys.run(wiring.desk(tell=self.stdout.write, warn=self.stderr.write), options)
