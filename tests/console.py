"""Whether what a command printed is what a text shows."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NUMBER = re.compile(r"(\\?[0-9](?:[0-9]|\\?[.,:\-](?=[0-9\\]))*)")


def answers(expected: Sequence[str], given: str) -> bool:
    """Whether what was printed is what the text shows; "..." stands for anything, also for several lines."""
    pattern = r"\s*".join(".*" if line.strip() == "..." else re.escape(line.strip()) for line in expected)
    pattern = pattern.replace(re.escape("..."), ".*")
    # Times and numbers will be others.
    pattern = _NUMBER.sub(lambda found: r"[0-9][0-9.,:\-]*", pattern)
    return re.fullmatch(r"\s*" + pattern + r"\s*", given, re.DOTALL) is not None
