"""Locks that last as long as the connection that holds them, so that a dead executor leaves none behind."""

from __future__ import annotations

import abc


class Locks(abc.ABC):
    """The locks of one session in one database; everybody who reaches that database meets them."""

    @abc.abstractmethod
    def take(self, name: str, *, shared: bool = False) -> str | None:
        """Take a lock without waiting. None where it was had; else who has it, in a few words.

        Shared ones go together, and with no other.
        """

    @abc.abstractmethod
    def check(self) -> None:
        """Raises SplitError where the locks that were taken may be lost."""

    @abc.abstractmethod
    def close(self) -> None:
        """Give them all back, at the latest when the connection is closed."""
