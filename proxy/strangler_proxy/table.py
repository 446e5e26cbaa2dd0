"""The table in force: changed whole, remembered in a file, and waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path

from strangler_proxy.remembering import write
from strangler_proxy.routes import RouteTable, older


class OlderTable(ValueError):
    """The offered table has an older version of a move than the one in force."""


class TableStore:
    """Holds one table at a time. Requests read it without a lock; it is replaced in one step."""

    def __init__(self, table: RouteTable, path: Path | None = None) -> None:
        self.table = table
        self._path = path
        self._changed = asyncio.Condition()

    @classmethod
    def open(cls, path: Path, first: RouteTable) -> TableStore:
        """The table that the file remembers, or "first" where there is no file. Raises ValueError on a bad file."""
        if not path.exists():
            return cls(first, path)
        try:
            return cls(RouteTable.from_json(path.read_bytes()), path)
        except ValueError as error:
            raise ValueError(
                f'the state file "{path}" holds no route table ({error}); remove it, then publish the routes anew'
            ) from error

    async def apply(self, offered: RouteTable) -> None:
        """Route by "offered" from now on, also after a restart. Raises OlderTable, and keeps the old one then."""
        if back := older(self.table, offered):
            raise OlderTable("; ".join(back))
        if self._path is not None:
            write(self._path, offered.to_json())
        # Before anything is awaited: the next one to apply has to be compared with this table.
        self.table = offered
        async with self._changed:
            self._changed.notify_all()

    async def wait_for_term(self, move: str, above: int, seconds: float) -> bool:
        """Wait until the move's term is greater than "above"; whether that came in time."""

        def newer() -> bool:
            found = self.table.move(move)
            return found is not None and found.term > above

        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(newer)
        except TimeoutError:
            return newer()
        return True
