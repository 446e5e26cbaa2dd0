"""What commands on a running project share: its settings, found as those of `strangler map --import-settings` are."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from strangler.errors import StranglerError


def add_settings(command: argparse.ArgumentParser) -> None:
    """The option to name them."""
    command.add_argument("--settings", default="", help="shop.settings; without it what manage.py names in this folder")


def set_up(options: argparse.Namespace) -> None:
    """Load the settings and apps of the project in this folder. Raises StranglerError where there are none."""
    import django  # noqa: PLC0415 - most commands need no project
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415

    from strangler.analysis.asking import find_start  # noqa: PLC0415

    settings = options.settings or os.environ.get("DJANGO_SETTINGS_MODULE", "")
    folders: tuple[str, ...] = (str(Path.cwd()),)
    if not settings:
        start = find_start(Path.cwd(), "", os.environ)
        settings, folders = start.settings, start.folders
    if not settings:
        raise StranglerError("no manage.py here says which settings the project has; name them with --settings")
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    try:
        django.setup()
    except (ImproperlyConfigured, ImportError) as error:
        raise StranglerError(f'the settings "{settings}" cannot be loaded: {error}') from error
