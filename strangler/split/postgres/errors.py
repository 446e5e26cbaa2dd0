"""What PostgreSQL says went wrong, in the toolkit's own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from strangler.split.errors import Busy, CasFailed, StatementFailed, UniqueClash

_CAS_FAILED = "SF003"


@contextmanager
def translated() -> Iterator[None]:
    """Have its errors leave as ours."""
    try:
        yield
    except (
        psycopg.errors.LockNotAvailable,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.ObjectInUse,
    ) as error:
        raise Busy(first_line(error)) from error
    except psycopg.errors.UniqueViolation as error:
        raise UniqueClash(first_line(error)) from error
    except psycopg.Error as error:
        if error.sqlstate == _CAS_FAILED:
            raise CasFailed(first_line(error)) from error
        raise StatementFailed(first_line(error)) from error


def first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].removeprefix("FATAL:").strip() if lines else type(error).__name__
