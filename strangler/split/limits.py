"""The bounds of one switch."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds of a switch, all in seconds unless said otherwise."""

    hold: float = 8.0
    """Lease of the proxies' hold; writes flow to the old owner again when it ends."""
    lock: float = 0.5
    """How long the fence may wait for open writers, and so the longest that new ones wait behind it."""
    fence_attempts: int = 5
    """How often the fence is tried before the switch is given up."""
    fence_pause: float = 0.5
    """Between two tries, with the hold released."""
    catch_up: float = 2.0
    """From the fence until the new owner has everything; longer goes back."""
    transaction_age: float = 5.0
    """A transaction that has held a moved table of the old owner for longer than this refuses the switch."""
    verification_age: float = 3600.0
    """A verification older than this is not fresh."""
    heartbeat: float = 5.0
    """For a heartbeat to go there and back."""
    pending: int = 10_000
    """Changes (rows of the log) that may wait to be applied when a switch begins."""
    clock_skew: float = 60.0
    """How far the clocks of the two databases may be apart."""
