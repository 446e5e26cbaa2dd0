"""The keys that were applied since the last comparison: what a switch compares, and what is compared meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from strangler.split.applier import WHOLE_TABLE
from strangler.split.errors import SplitError
from strangler.split.spec import Side
from strangler.split.store import Store
from strangler.split.table import Key, key_from_text


@dataclass(frozen=True, kw_only=True)
class Recent:
    """Keys by table, of both directions, and the batch of each side up to which these are all."""

    keys: dict[str, list[Key]]
    batches: Mapping[Side, int]


def batches(source: Store, target: Store, move: str) -> dict[Side, int]:
    """The last batch that each side has applied. This is a read-only operation."""
    return {
        side: int(store.scalar("SELECT batch FROM strangler.streams WHERE move = %s", (move,)) or 0)
        for side, store in ((Side.SOURCE, source), (Side.TARGET, target))
    }


def unverified(source: Store, target: Store, move: str) -> Recent:
    """What was applied on either side and not compared since. This is a read-only operation.

    Raises SplitError after a TRUNCATE: then only a whole comparison can tell.
    """
    # The batches first: what is applied after that may be among the keys, and stays noted.
    upto = batches(source, target, move)
    found: dict[str, dict[Key, None]] = {}
    for store in (source, target):
        for name, key in store.query("SELECT name, key FROM strangler.unverified WHERE move = %s", (move,)):
            if key == WHOLE_TABLE:
                raise SplitError(f'table "{name}" was truncated since the last verification; verify again')
            found.setdefault(name, {})[key_from_text(key)] = None
    return Recent(keys={name: list(keys) for name, keys in found.items()}, batches=upto)


def forget(source: Store, target: Store, move: str, upto: Mapping[Side, int]) -> None:
    """Take off the notes what was compared and found equal; what was applied again behind these batches stays."""
    for side, store in ((Side.SOURCE, source), (Side.TARGET, target)):
        store.execute("DELETE FROM strangler.unverified WHERE move = %s AND batch <= %s", (move, upto[side]))
