"""Follows the changes of all moves, both ways, until it is told to stop."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator

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
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Seconds before the next try, after so many that failed: a database that restarts is back within them."""


def run(moves: Callable[[], Iterable[Move]], traffic: Callable[[Move], Traffic], stop: threading.Event) -> None:
    """One thread for each move; "moves" is asked again every second, so that new ones join.

    A move that nobody owns for too long is recovered, with "traffic" to publish who owns then. A database that does
    not answer, or lets nobody in, is tried again until it does; it is said once.
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
    """Follow one move, with new connections after each failure, until it is no more; run() looks whether it comes."""
    said, failures = "", 0
    while not stop.is_set():
        try:
            for _ in _rounds(move, traffic, stop):
                if said:
                    logger.warning("following %s goes on", move.spec.name)
                said, failures = "", 0
            return
        except SplitError as error:
            sentence = str(error).splitlines()[0]
            if sentence != said:
                logger.error("following %s stopped and is tried again: %s", move.spec.name, sentence)
            said = sentence
            stop.wait(_PAUSES[min(failures, len(_PAUSES) - 1)])
            failures += 1


def _rounds(move: Move, traffic: Callable[[Move], Traffic], stop: threading.Event) -> Iterator[None]:
    """Apply, look and beat over one set of connections; yields after each round that went well."""
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
                session.remember_peers()
                session.send_heartbeats()
                beat_at = now + _HEARTBEAT
            if not session.apply_once():
                stop.wait(POLL)
            yield
