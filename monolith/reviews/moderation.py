"""The words that keep a review from the public."""

import re

_UNWANTED = re.compile(r"\b(viagra|casino|jackpot|bitcoin giveaway|https?://\S+)", re.IGNORECASE)


def is_unwanted(title, body):
    """Whether a review advertises instead of reviewing."""
    return bool(_UNWANTED.search(title) or _UNWANTED.search(body))
