"""PostgreSQL's own log, read through a logical replication slot: see docs/decisions/0008-log-capture.md."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from strangler.split.errors import Busy, SplitError, StatementFailed
from strangler.split.log import Log, Read
from strangler.split.postgres.pages import Found
from strangler.split.postgres.pgoutput import PUT, Transaction, transactions
from strangler.split.table import Key, Table

if TYPE_CHECKING:
    from strangler.split.postgres.store import PostgresStore

_COUNTED = 100_000
"""Messages that are looked at to say how many changes wait."""
_IDLE = 1.0
"""Seconds between two times that an idle slot is moved on, so that the server may take its old log away."""
_IN_USE = 10.0
"""Seconds to wait for another one who reads the slot; each does so for a moment."""
_PAUSE = 0.005
_BYTES = "- '0/0'::pg_lsn"
_T = TypeVar("_T")


class WalLog(Log):
    """See Log. Places are bytes from the beginning of the server's log (pg_lsn)."""

    def __init__(self, store: PostgresStore, move: str, slot: str) -> None:
        self._store = store
        self._move = move
        self._slot = slot
        self._found: Found | None = None  # what is given in pages
        self._seen = 0  # nothing was left to apply up to here
        self._advanced = 0.0

    def start(self) -> None:
        """See Log.start. Waits for the transactions that write now: the slot shows what commits after them."""
        with self._store.alone(self._move):
            if self._position() is not None:
                return
            # A slot that nobody noted is one of a start that died.
            self._store.query(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
                (self._slot,),
            )
            try:
                place = self._store.scalar(
                    "SELECT lsn FROM pg_create_logical_replication_slot(%s, 'pgoutput')", (self._slot,)
                )
            except Busy as error:
                raise SplitError(
                    f"the log of the {self._store.name} can be followed once the transactions have ended that write "
                    f"now ({error}); end the long ones, and run it again"
                ) from error
            self._store.execute("UPDATE strangler.slots SET position = %s WHERE move = %s", (place, self._move))

    def end(self) -> int:
        """See Log.end."""
        if self._position() is None:
            return 0
        # A commit of our own takes along to the disk those before it that did not wait for that: only what is there
        # can be read.
        with self._store.transaction():
            self._emit("strangler.end", "")
        return self._written()

    def waits(self, upto: int) -> bool:
        """See Log.waits."""
        position = self._position()
        return position is not None and max(position, self._seen) < upto

    def pending(self) -> int:
        """See Log.pending."""
        position = self._position()
        if position is None or self.stopped() is not None:
            return 0
        found = self._in_turn(lambda: list(self._behind(position, self._peek(_COUNTED), {})))
        return sum(transaction.size for transaction in found if not transaction.applied)

    def read(self, limit: int, tables: Sequence[Table]) -> Read:
        """See Log.read.

        The log can be cut between transactions only. Of what was found behind a cut only a page is given at a time, and
        nothing is forgotten before the last one: whoever begins anew reads all of it again.
        """
        position, written = self._position(), self._written()
        found = self._found
        if found is not None and position == found.position and limit == found.limit:
            return found.read()
        self._found = None
        if position is None or written <= max(position, self._seen):
            return Read(changes=(), numbers=())
        snapshot = str(self._store.scalar("SELECT pg_current_snapshot()::text"))
        numbers = self._numbers(tables)
        found = self._in_turn(lambda: self._find(limit, position, numbers, snapshot))
        if found.is_all:
            found.upto = max(found.upto, written)
            if found.empty:
                self._seen = found.upto
        # Where nothing was found, the slot need not be moved on each time.
        if found.empty and not found.full and time.monotonic() - self._advanced < _IDLE:
            return Read(changes=(), numbers=())
        if len(found.pages) > 1:
            self._found = found
        return found.read()

    def forget(self, batch: int, read: Read) -> None:
        """See Log.forget. Noted first, and moved on after that: a slot that is further was moved by somebody else."""
        if not read.numbers:
            if read.changes and self._found is not None:
                self._found.next_page += 1
            return
        self._found = None
        upto = read.numbers[-1]
        self._store.execute(
            """WITH applied AS (
                   UPDATE strangler.slots SET position = greatest(position, %s::pg_lsn) WHERE move = %s)
               UPDATE strangler.streams SET acknowledged = greatest(acknowledged, %s) WHERE move = %s""",
            (_lsn(upto), self._move, batch, self._move),
        )
        # Where another one is further already, or reads just now, the slot is moved the next time.
        with suppress(StatementFailed):
            self._store.query(
                """SELECT pg_replication_slot_advance(slot_name, %s::pg_lsn) FROM pg_replication_slots
                   WHERE slot_name = %s AND confirmed_flush_lsn < %s::pg_lsn""",
                (_lsn(upto), self._slot, _lsn(upto)),
            )
        if time.monotonic() - self._advanced >= _IDLE:
            self._advanced = time.monotonic()
            self._note_running()

    def stopped(self) -> str | None:
        """See Log.stopped."""
        # The slot before the position: it is moved on after that was noted.
        slots = self._store.query(
            f"""SELECT wal_status, confirmed_flush_lsn {_BYTES} FROM pg_replication_slots
                WHERE slot_name = %s AND database = current_database()""",  # noqa: S608 - a constant
            (self._slot,),
        )
        position = self._position()
        if position is None:
            return None
        if not slots:
            return f'its replication slot "{self._slot}" is gone, by hand or in a failover'
        status, confirmed = slots[0]
        if status == "lost":
            return (
                f'its replication slot "{self._slot}" was given up by the server, since nobody read it for too long '
                "(max_slot_wal_keep_size)"
            )
        if confirmed > position:
            return f'its replication slot "{self._slot}" was made anew, or moved on by somebody else'
        return None

    def put(self, name: str, key: Key) -> None:
        """See Log.put."""
        self._emit(PUT, json.dumps([self._move, name, key]))

    def _note_running(self) -> None:
        """Let the server note its running transactions: each look decodes its log from such a note on.

        It does so itself every 15 s. Older servers, and users without the right, have to be content with that.
        """
        with suppress(StatementFailed):
            self._store.query("SELECT pg_log_standby_snapshot()")

    def _emit(self, prefix: str, content: str) -> None:
        self._store.query("SELECT pg_logical_emit_message(true, %s::text, %s::text)", (prefix, content))

    def _position(self) -> int | None:
        place = self._store.scalar(
            f"SELECT position {_BYTES} FROM strangler.slots WHERE move = %s",  # noqa: S608 - a constant
            (self._move,),
        )
        return None if place is None else int(place)

    def _written(self) -> int:
        return int(self._store.scalar(f"SELECT pg_current_wal_flush_lsn() {_BYTES}"))

    def _numbers(self, tables: Sequence[Table]) -> Mapping[int, Table]:
        """The tables, and all their partitions, by the number that the log calls them by."""
        rows = self._store.query(
            """SELECT part::oid::bigint, place FROM unnest(%s::regclass[]) WITH ORDINALITY t(root, place)
               CROSS JOIN LATERAL (SELECT root AS part UNION SELECT relid FROM pg_partition_tree(root)) parts""",
            ([table.relation for table in tables],),
        )
        return {number: tables[place - 1] for number, place in rows}

    def _find(self, limit: int, position: int, tables: Mapping[int, Table], snapshot: str) -> Found:
        """What the snapshot sees of the changes behind the position.

        A commit can be read before snapshots see it, long before where it waits for a replica. Its rows would be read
        as they were, so it is left for the next time, with all that comes behind it.
        """
        found, seen, count = Found(limit, position), True, 0

        def messages() -> Iterator[bytes]:
            nonlocal count
            for count, message in enumerate(self._peek(limit), 1):  # noqa: B007
                yield message

        for transaction in self._behind(position, messages(), tables):
            seen = seen and is_visible(transaction.xid, snapshot)
            if seen:
                found.pages.extend(transaction.changes)
                found.upto = transaction.end
        found.full = count >= limit
        found.is_all = seen and not found.full
        return found

    def _behind(self, position: int, messages: Iterator[bytes], tables: Mapping[int, Table]) -> Iterator[Transaction]:
        """The transactions behind the position, large ones in parts."""
        # Within read() it is a savepoint.
        with self._store.transaction():
            try:
                for transaction in transactions(messages, self._move, tables):
                    # Whatever has its commit before the position was read as a whole.
                    if transaction.commit >= position:
                        yield transaction
            except ValueError as error:
                raise SplitError(str(error)) from error

    def _peek(self, limit: int) -> Iterator[bytes]:
        """The messages of the oldest transactions, about "limit" of them."""
        for (message,) in self._store.stream(
            """SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, %s::int,
                   'proto_version', '1', 'publication_names', %s, 'messages', 'true')""",
            (self._slot, limit, self._slot),
        ):
            yield message

    def _in_turn(self, look: Callable[[], _T]) -> _T:
        """Only one at a time can look at a slot: the others wait."""
        deadline = time.monotonic() + _IN_USE
        while True:
            try:
                return look()
            except Busy:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE)


def is_visible(xid: int, snapshot: str) -> bool:
    """Whether a snapshot, as pg_current_snapshot() writes it, sees what a committed transaction did.

    "xid" are the lower 32 bits of its number, which is less than 2**31 away from the snapshot's.
    """
    _, upper, running = snapshot.split(":")
    xmax = int(upper)
    distance = (xid - xmax) % 2**32
    full = xmax + distance - (2**32 if distance >= 2**31 else 0)
    return full < xmax and str(full) not in running.split(",")


def _lsn(place: int) -> str:
    return f"{place >> 32:X}/{place & 0xFFFFFFFF:X}"
