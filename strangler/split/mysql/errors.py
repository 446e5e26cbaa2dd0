"""What MySQL says went wrong, in the toolkit's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pymysql

from strangler.split.errors import Busy, StatementFailed, UniqueClash

_BUSY = {1205, 1213, 1969, 3024, 3572}  # lock wait, deadlock, too long by either server's clock, NOWAIT
_DUPLICATE = {1062, 1586}


@contextmanager
def translated() -> Iterator[None]:
    """Have its errors leave as ours."""
    try:
        yield
    except pymysql.Error as error:
        number = error.args[0] if error.args else 0
        if number in _BUSY:
            raise Busy(sentence(error)) from error
        if number in _DUPLICATE:
            raise UniqueClash(sentence(error)) from error
        raise StatementFailed(sentence(error)) from error


def sentence(error: BaseException) -> str:
    words = str(error.args[-1] if error.args else error).strip().splitlines()
    return words[0] if words else type(error).__name__
