"""The keys that were applied since the last comparison: what a switch compares, and what is compared meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.split.applier import WHOLE_TABLE
from strangler.split.errors import SplitError
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import Key, key_from_text

SLICE = 100_000
"""Keys of a side that are compared together, about: 345 bytes each in memory, and what a switch compares at most."""


@dataclass(frozen=True, kw_only=True)
class Recent:
    """Keys by table, of both directions, and the batch of each side up to which these are all."""

    keys: dict[str, list[Key]]
    batches: Mapping[Side, int]
    complete: bool  # or there are keys of later batches, which come next


def batches(source: Store, target: Store, move: str) -> dict[Side, int]:
    """The last batch that each side has applied. This is a read-only operation."""
    return {
        side: int(store.scalar("SELECT batch FROM strangler.streams WHERE move = %s", (move,)) or 0)
        for side, store in ((Side.SOURCE, source), (Side.TARGET, target))
    }


def unverified(source: Store, target: Store, move: str) -> Recent:
    """What was applied on either side and not compared since, the oldest first. This is a read-only operation.

    About SLICE keys of each side, so that memory stays flat. Raises SplitError after a TRUNCATE: then only a whole
    comparison can tell.
    """
    # The batches first: what is applied after that stays noted.
    last = batches(source, target, move)
    upto = {side: _cut(store, move, last[side]) for side, store in ((Side.SOURCE, source), (Side.TARGET, target))}
    found: dict[str, dict[Key, None]] = {}
    for side, store in ((Side.SOURCE, source), (Side.TARGET, target)):
        for name, key in store.query(
            "SELECT name, key FROM strangler.unverified WHERE move = %s AND batch <= %s", (move, upto[side])
        ):
            if key == WHOLE_TABLE:
                raise SplitError(f'table "{name}" was truncated since the last verification; verify again')
            found.setdefault(name, {})[key_from_text(key)] = None
    return Recent(keys={name: list(keys) for name, keys in found.items()}, batches=upto, complete=upto == last)


def forget(source: Store, target: Store, move: str, upto: Mapping[Side, int]) -> None:
    """Take off the notes what was compared and found equal; what was applied again behind these batches stays."""
    for side, store in ((Side.SOURCE, source), (Side.TARGET, target)):
        store.execute("DELETE FROM strangler.unverified WHERE move = %s AND batch <= %s", (move, upto[side]))


def _cut(store: Store, move: str, last: int) -> int:
    """The batch up to which there are about SLICE keys: batches are compared whole, and are small."""
    beyond = store.scalar(
        "SELECT batch FROM strangler.unverified WHERE move = %s AND batch <= %s ORDER BY batch LIMIT 1 OFFSET %s",
        (move, last, SLICE),
    )
    return last if beyond is None else int(beyond)
