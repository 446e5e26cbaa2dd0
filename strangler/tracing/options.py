"""What `STRANGLER["TRACE"]` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

SHARE = 1.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where a process writes what it does, and which share of its requests and tasks it looks at."""

    folder: Path
    share: float = SHARE


def options() -> Options | None:
    """As the settings say; None where nothing is to be recorded."""
    given = getattr(settings, "STRANGLER", None)
    return parsed(given.get("TRACE") if isinstance(given, Mapping) else None)


def parsed(given: Any) -> Options | None:
    """The value of TRACE, checked. Raises ImproperlyConfigured."""
    if not given:
        return None
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured('STRANGLER["TRACE"] is no dictionary; write {"FOLDER": "...", "SHARE": 0.1}')
    if unknown := sorted(set(given) - {"FOLDER", "SHARE"}):
        raise ImproperlyConfigured(f'STRANGLER["TRACE"] has an unknown key "{unknown[0]}"; it knows FOLDER, SHARE')
    if not given.get("FOLDER"):
        return None  # as an environment variable that is empty says
    share = given.get("SHARE", SHARE)
    if not isinstance(share, int | float) or not 0 < share <= 1:
        raise ImproperlyConfigured(f'STRANGLER["TRACE"]["SHARE"] is {share!r}; give more than 0, at most 1')
    return Options(folder=Path(given["FOLDER"]), share=float(share))
