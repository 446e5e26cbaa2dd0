"""What goes wrong while something is traced is said once, and never becomes the project's error."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

logger = logging.getLogger(__name__)

_said: list[bool] = []


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Whatever is done within may fail."""
    try:
        yield
    except Exception:
        complain()


def complain() -> None:
    """Say what is being handled, with its traceback, if nothing was said yet."""
    if not _said:
        _said.append(True)
        logger.warning("something could not be traced; the rest is", exc_info=True)
