"""How long to wait before the next try."""

import random

_MOST_DOUBLINGS = 20


def full_jitter(tries, *, base, cap):
    """Seconds, drawn from the whole of a span that doubles with each try: many who failed together come back apart."""
    return random.uniform(0, min(cap, base * 2 ** min(tries, _MOST_DOUBLINGS)))  # noqa: S311
