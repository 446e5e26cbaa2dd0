"""What this service needs of each event: one JSON schema for each type and version that it understands (`needs/`).

The producer tests that what it sends has at least that; so either side may be deployed alone.
"""

import json
import re
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).parent / "needs"


def concerns_us(event):
    """Whether events of that type are anything to this service, in whatever version."""
    return event.type in _schemas()


def check(event):
    """Raises ValueError where the event's version is not understood, or something is missing in its data."""
    versions = _schemas()[event.type]
    if event.version not in versions:
        known = ", ".join(str(version) for version in sorted(versions))
        raise ValueError(f"version {event.version} of {event.type} is not understood here, only {known}")
    found = min(versions[event.version].iter_errors(event.data), key=str, default=None)
    if found is not None:
        raise ValueError(f"{event.type} v{event.version} at {found.json_path}: {found.message}")


@cache
def _schemas():
    """{type: {version: validator}}, by the files' names."""
    found = {}
    for path in sorted(FOLDER.glob("*.json")):
        kind, version = re.fullmatch(r"(.+)\.v(\d+)", path.stem).groups()
        schema = json.loads(path.read_text(encoding="utf-8"))
        found.setdefault(kind, {})[int(version)] = Draft202012Validator(schema)
    return found
