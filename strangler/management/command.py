"""What the toolkit's commands share: one sentence and exit status 1 instead of a traceback."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from strangler.errors import StranglerError
from strangler.plans.databases import driver_errors


class StranglerCommand(BaseCommand):
    """A command whose `run` may raise StranglerError."""

    # A check that fails elsewhere in the project must not keep anybody from seeing or ending a switch.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.run(**options)
        except (StranglerError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
        except Exception as error:
            if not isinstance(error, driver_errors()):
                raise
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise CommandError(f"a database failed in the middle ({lines[0]}); run the same command again") from error
        except KeyboardInterrupt as error:
            raise CommandError("interrupted; the same command goes on from here") from error

    def run(self, **options: Any) -> None:
        """Do what the command is for. Raises StranglerError."""
        raise NotImplementedError


def position(text: str) -> int:
    """Parse a number of operations; "zero" is 0. Raises ValueError, which argparse turns into a usage error."""
    return 0 if text == "zero" else int(text)


def address(text: str) -> tuple[str, int]:
    """Parse "host:port". Raises ValueError, which argparse turns into a usage error."""
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError(f'"{text}" is not of the form host:port')
    return host.strip("[]"), int(port)
