"""Follows the changes of all moves, both ways, until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable

from strangler.split.cutover import Traffic
from strangler.split.errors import SplitError
from strangler.split.move import Move

logger = logging.getLogger(__name__)

POLL = 0.02
"""Seconds between two looks at an idle log: a NOTIFY for each transaction would halve the source's rate."""
ORPHANED = 3.0
"""Seconds without any owner after which a switch is taken to have died and is gone back on: more than
`Limits.catch_up`, less than the proxies wait for an owner. Whoever sleeps meanwhile finds another epoch."""
_LOOK = 0.25
_HEARTBEAT = 1.0
_PAUSE = 1.0


def run(moves: Callable[[], Iterable[Move]], traffic: Callable[[Move], Traffic], stop: threading.Event) -> None:
    """One thread for each move; "moves" is asked again every second, so that new ones join.

    A move that nobody owns for too long is recovered, with "traffic" to publish who owns then.
    """
    followers: dict[str, threading.Thread] = {}
    while not stop.is_set():
        for move in moves():
            follower = followers.get(move.spec.name)
            if follower is None or not follower.is_alive():
                follower = threading.Thread(target=follow, args=(move, traffic, stop), name=f"follow {move.spec.name}")
                follower.start()
                followers[move.spec.name] = follower
        stop.wait(1.0)
    for follower in followers.values():
        follower.join(timeout=10)


def follow(move: Move, traffic: Callable[[Move], Traffic], stop: threading.Event) -> None:
    """Follow one move until it ends or something goes wrong; run() starts it again."""
    try:
        if move.picture() is None:
            return
        with move.session() as session:
            look_at = beat_at = 0.0
            while not stop.is_set():
                now = time.monotonic()
                if now >= look_at:
                    if session.orphaned(ORPHANED):
                        logger.warning("nobody owns %s: recovered, %s", move.spec.name, move.recover(traffic(move)))
                    look_at = now + _LOOK
                if now >= beat_at:
                    if not session.current():
                        return
                    session.send_heartbeats()
                    beat_at = now + _HEARTBEAT
                if not session.apply_once():
                    stop.wait(POLL)
    except SplitError as error:
        logger.error("following %s stopped and starts again: %s", move.spec.name, str(error).splitlines()[0])
        stop.wait(_PAUSE)
