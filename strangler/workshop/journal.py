"""The journal of what Orchard acknowledged, kept outside of all its databases."""

from __future__ import annotations

import enum
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO


class Outcome(enum.StrEnum):
    """What a client knows of its request."""

    ACKNOWLEDGED = "acknowledged"  # the answer said that it was done
    REFUSED = "refused"  # the answer said that it was not done, for a reason that other people's doings explain
    FAILED = "failed"  # no answer, or one that a client should not get


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One request: when it was answered (seconds since 1970), how long it took, and, for a write, what it wrote."""

    at: float
    seconds: float
    outcome: Outcome
    what: str  # "GET product", "POST review", …
    status: int  # 0: no answer
    kind: str = ""  # of a write that is checked: "review", "vote" or "order"
    key: str = ""  # what the client calls the row
    deleted: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)


class Journal:
    """Appends entries; a line is written before the next request of the same shopper begins."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._out: TextIO = path.open("a", encoding="utf-8", buffering=1)

    def note(self, entry: Entry) -> None:
        self._out.write(json.dumps(asdict(entry)) + "\n")

    def close(self) -> None:
        self._out.close()


def read(path: Path) -> Iterator[Entry]:
    """The entries in order; a line that was torn by a crash at the end is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            given = json.loads(line)
        except ValueError:
            return
        yield Entry(**{**given, "outcome": Outcome(given["outcome"])})


def now() -> float:
    return time.time()
