"""Setting a move up in one database, and taking it out again: claims, fences, captures, the toolkit's own rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from strangler.split.copying import FIRST_SIZE
from strangler.split.errors import CasFailed, Refused
from strangler.split.layout import Layout
from strangler.split.ownership import Ownership, read_ownership
from strangler.split.spec import MoveSpec, Side
from strangler.split.store import Store
from strangler.split.table import EVERYTHING

_STATE = ("claims", "changes", "unverified", "copies", "ranges", "verifications", "routing", "streams")


def install(store: Store, spec: MoveSpec, layout: Layout, side: Side) -> None:
    """Set the move up in one database, all or nothing. Does nothing where it is set up already."""
    store.create_tables()
    with store.alone(spec.name):
        if installed(store, spec.name):
            return
        refuse_claimed(store, spec, layout, side)
        # The claims last: where an engine cannot take triggers back with a transaction, they say that all is there.
        store.run(statements(store, spec, layout, side))
        _write_state(store, spec, layout, side)


@contextmanager
def leaving(store: Store, seen: Ownership, move: str) -> Iterator[None]:
    """A transaction that has the ownership row as it was seen, so that no switch comes between.

    Raises CasFailed where the row has changed since.
    """
    with store.alone(move):
        if not store.execute(
            "UPDATE strangler.ownership SET epoch = epoch + 1 WHERE move = %s AND epoch = %s", (move, seen.epoch)
        ):
            raise CasFailed(
                f'ownership of move "{move}" has changed in the {store.name} database since it was looked at: somebody '
                "switches or recovers; look again"
            )
        yield


def uninstall(store: Store, spec: MoveSpec, layout: Layout, side: Side) -> None:
    """Take captures, fences, claims and logs of the move out of one database, and copied rows out of the target.

    To be called within leaving(). The ownership row stays: terms must go on growing if the move is created again.
    """
    store.run(store.take_down(spec, layout.claims(side), layout.captured(side), side))
    if side is Side.TARGET:
        for pair in reversed(layout.pairs):
            store.delete(pair.target, EVERYTHING)
        while store.aside(spec.name):
            store.put_back(spec.name)
    for table in _STATE:
        store.execute(f"DELETE FROM strangler.{table} WHERE move = %s", (spec.name,))  # noqa: S608


def refuse_claimed(store: Store, spec: MoveSpec, layout: Layout, side: Side) -> None:
    """Raise Refused where another move has a table here. This is a read-only operation."""
    for claim in layout.claims(side) if store.has_tables() else ():
        other = store.scalar("SELECT move FROM strangler.claims WHERE relation = %s", (claim.table.relation,))
        if other not in (None, spec.name):
            raise Refused(
                f'table "{claim.table}" of the {side} is on its way in move "{other}" already; '
                f'complete or cancel that one, or take the table out of "{spec.name}"'
            )


def installed(store: Store, move: str) -> bool:
    """Whether the move is set up here. This is a read-only operation."""
    # The source of copies alone has no claims; a stream that is lost is for others to notice.
    return any(
        store.scalar(f"SELECT count(*) FROM strangler.{table} WHERE move = %s", (move,))  # noqa: S608
        for table in ("claims", "streams")
    )


def statements(store: Store, spec: MoveSpec, layout: Layout, side: Side) -> Iterator[str]:
    """What sets fences and captures up on that side, and its tables for being filled, in order."""
    yield from store.set_up(spec, layout.claims(side), layout.captured(side), side)
    if side is Side.TARGET:
        # A table that keeps rows of its own is in use, and keeps its indexes.
        yield from store.set_aside(spec.name, [pair.target for pair in layout.pairs if pair.target.where is None])


def _write_state(store: Store, spec: MoveSpec, layout: Layout, side: Side) -> None:
    owns = side is Side.SOURCE
    if read_ownership(store, spec.name) is None:
        store.execute(
            "INSERT INTO strangler.ownership (move, side, epoch, owns, term, done, peer_epoch, changed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, 0, %s)",
            (spec.name, side.value, int(owns), owns, int(owns), False, store.now()),
        )
    else:
        store.execute(
            "UPDATE strangler.ownership SET epoch = epoch + 1, peer_epoch = 0, changed_at = %s WHERE move = %s",
            (store.now(), spec.name),
        )
    for position, claim in enumerate(layout.claims(side)):
        store.execute(
            "INSERT INTO strangler.claims (relation, move, kind, position) VALUES (%s, %s, %s, %s)",
            (claim.table.relation, spec.name, "moved" if claim.moved else "replicated", position),
        )
    store.execute("INSERT INTO strangler.streams (move) VALUES (%s)", (spec.name,))
    if side is Side.TARGET:
        for pair in layout.pairs:
            store.execute(
                "INSERT INTO strangler.copies (move, name, size) VALUES (%s, %s, %s)",
                (spec.name, pair.name, FIRST_SIZE),
            )
