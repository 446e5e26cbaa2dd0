"""Named locks of a session of MySQL and MariaDB."""

from __future__ import annotations

import hashlib
from contextlib import suppress

import pymysql

from strangler.split.errors import SplitError
from strangler.split.locks import Locks
from strangler.split.mysql import catalog
from strangler.split.mysql.wording import Connection

_SEATS = 8
"""How many may share a lock: the server has exclusive ones only, so a shared one takes a seat, an exclusive one all."""
_LONGEST = 31_536_000


class NamedLocks(Locks):
    """See Locks. Names are the server's, not the database's: they bear the database's name."""

    def __init__(self, connection: Connection, database: str) -> None:
        self._connection = connection
        self._database = database.lower()  # as some servers have it
        # A lock is idle for as long as an operation takes.
        catalog.query(connection, f"SET SESSION wait_timeout = {_LONGEST}")

    def take(self, name: str, *, shared: bool = False) -> str | None:
        seats = [self._seat(name, number) for number in range(_SEATS)]
        if shared:
            # From the end, so that whoever wants all of them is in nobody's way before he knows.
            return None if any(map(self._take, reversed(seats))) else self._holder(seats[0])
        return next((self._holder(seat) for seat in seats if not self._take(seat)), None)

    def check(self) -> None:
        try:
            catalog.query(self._connection, "SELECT 1")
        except pymysql.Error as error:
            raise SplitError("its connection to the database broke") from error

    def close(self) -> None:
        with suppress(pymysql.Error):
            self._connection.close()

    def _take(self, seat: str) -> bool:
        return bool(catalog.scalar(self._connection, "SELECT GET_LOCK(%s, 0)", (seat,)) == 1)

    def _holder(self, seat: str) -> str:
        connection = catalog.scalar(self._connection, "SELECT IS_USED_LOCK(%s)", (seat,))
        return "it has just ended" if connection is None else f"connection {connection} of the database server"

    def _seat(self, name: str, number: int) -> str:
        # A name may have 64 characters.
        return hashlib.sha256(f"strangler {self._database}/{name}/{number}".encode()).hexdigest()[:40]
