"""The most memory that all who work in a folder take at once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Self

from strangler.compare.processes import proportional

_BETWEEN_LOOKS = 2.0


class Memory:
    """Looks every two seconds, while it is entered, at each process whose working folder is below "folder"."""

    def __init__(self, folder: Path) -> None:
        self.most = 0
        """Bytes, what two processes share counted half for each."""
        self.processes = 0
        """How many they were at that moment."""
        self._folder = folder.resolve()
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._over.wait(_BETWEEN_LOOKS):
            taken = [proportional(pid) for pid in self._pids()]
            if sum(taken) > self.most:
                self.most, self.processes = sum(taken), len(taken)

    def _pids(self) -> list[int]:
        return [int(place.parent.name) for place in Path("/proc").glob("[0-9]*/cwd") if self._is_below(place)]

    def _is_below(self, place: Path) -> bool:
        try:
            return place.readlink().is_relative_to(self._folder)
        except OSError:  # it has ended
            return False
