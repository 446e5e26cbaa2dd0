"""How far long work has come, for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

Tell: TypeAlias = Callable[[str, int, int], None]
"""Is told (what is done, how much of it is, of how much)."""


def nobody(_what: str, _done: int, _all: int) -> None:
    """Nobody waits."""
