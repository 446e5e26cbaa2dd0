"""Changes in pages, of which only one is in memory: a transaction may be larger than that."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from typing import IO

from strangler.split.log import Change, Read


class Pages:
    """Changes in their order. All pages but the first are in a file without a name, which goes with this."""

    def __init__(self, size: int) -> None:
        self._size = size  # changes in a page
        self._first: list[Change] = []
        self._file: IO[bytes] | None = None  # made when it is needed; closed when nobody has this any more
        self._starts: list[int] = []  # where each page but the first begins in the file
        self._written = 0
        self._count = 0

    def extend(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if self._count < self._size:
                self._first.append(change)
            else:
                self._write(change)
            self._count += 1

    def page(self, number: int) -> list[Change]:
        """The changes of one page; nothing is to be added after this."""
        if number == 0 or self._file is None:
            return self._first
        self._file.seek(self._starts[number - 1])
        left = min(self._size, self._count - number * self._size)
        found = (json.loads(self._file.readline()) for _ in range(left))
        return [Change(name=name, key=None if key is None else tuple(key)) for name, key in found]

    def __len__(self) -> int:
        """How many pages there are; one where there is no change."""
        return 1 + len(self._starts)

    def _write(self, change: Change) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
        if self._count % self._size == 0:
            self._starts.append(self._written)
        self._written += self._file.write(json.dumps([change.name, change.key]).encode() + b"\n")


class Found:
    """What one look at the log has found, and which page of it comes next."""

    def __init__(self, limit: int, position: int) -> None:
        self.limit = limit
        self.position = position  # where the look began; elsewhere by now, another applier has applied all of it
        self.pages = Pages(limit)
        self.next_page = 0
        self.upto = 0  # the place behind all of it
        self.full = False  # there may be more
        self.is_all = False  # there is nothing else

    @property
    def empty(self) -> bool:
        return not self.pages.page(0)

    def read(self) -> Read:
        """The next page; the place comes with the last one only."""
        last = self.next_page + 1 == len(self.pages)
        return Read(changes=self.pages.page(self.next_page), numbers=(self.upto,) if last and self.upto else ())
