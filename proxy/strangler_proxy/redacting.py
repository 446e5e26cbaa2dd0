"""What is not kept of what clients send and get: values whose names say that they are secret, or personal.

Standard library only.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode

REDACTED = "(redacted)"
_SECRET = re.compile(
    r"token|secret|passw|session|csrf|auth|cookie|sig(?:$|_|nature)|e?mail|phone|address|iban|card|key", re.IGNORECASE
)


def is_secret(name: str) -> bool:
    """Whether a field, parameter or column of this name may hold what is not to be kept."""
    return _SECRET.search(name) is not None


def shown(target: str) -> str:
    """A request's target as it may be kept: values of a query that may be secrets are left out."""
    path, question, query = target.partition("?")
    pairs = [(name, "REDACTED" if is_secret(name) else value) for name, value in parse_qsl(query)]
    return f"{path}{question}{urlencode(pairs)}"
