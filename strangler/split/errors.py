"""What can go wrong in a split; every text is one sentence with a way out."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from strangler.errors import StranglerError

T = TypeVar("T")


class SplitError(StranglerError):
    """A split cannot go on."""


class Refused(SplitError):
    """A gate said no; nothing was changed."""


class DatabaseUnreachable(SplitError):
    """A database could not be reached or did not let us in."""


class TwoOwners(SplitError):
    """Both databases say that they own the move, or one was set back in time: stop everything."""


class CasFailed(SplitError):
    """Somebody else changed an ownership row since the picture was taken."""


class Gap(SplitError):
    """Changes that the receiver has not applied are gone from the sender's log."""


class StatementFailed(SplitError):
    """A statement failed, or its connection broke: unless a subclass says more, its outcome is unknown."""


class Busy(StatementFailed):
    """A lock was not had in time. The statement was rolled back, nothing has changed."""


class UniqueClash(StatementFailed):
    """A unique value is there already. The statement was rolled back, nothing has changed."""


def translating(translated: Callable[[], AbstractContextManager[object]]) -> Callable[[type[T]], type[T]]:
    """Have the driver's errors leave a class's public methods as the context manager makes them: as those above.

    Context managers among the methods have to do so themselves: what fails within them does not pass the method.
    """

    def decorated(part: type[T]) -> type[T]:
        for name, method in list(vars(part).items()):
            if inspect.isfunction(method) and not name.startswith("_"):
                setattr(part, name, _translating(method, translated))
        return part

    return decorated


def _translating(method: Callable[..., Any], translated: Callable[[], AbstractContextManager[object]]) -> Any:
    if inspect.isgeneratorfunction(method):

        @functools.wraps(method)
        def generator(*args: Any, **options: Any) -> Iterator[Any]:
            with translated():
                yield from method(*args, **options)

        return generator

    @functools.wraps(method)
    def function(*args: Any, **options: Any) -> Any:
        with translated():
            return method(*args, **options)

    return function
