"""What the commands need for developers' keys, built from Django's settings."""

from __future__ import annotations

from collections.abc import Callable

from strangler import conf
from strangler.developers.desk import Desk
from strangler.developers.publishing import Publishing
from strangler.developers.register import Register
from strangler.plans import wiring


def desk(*, tell: Callable[[str], object], warn: Callable[[str], object]) -> Desk:
    """For people, who are told results and warnings. Raises StranglerError."""
    return Desk(
        register=Register(databases=wiring.monolith()),
        publishing=publishing(),
        gateway=conf.configuration().gateway,
        tell=tell,
        warn=warn,
    )


def publishing() -> Publishing:
    """To all proxies, and back from them. Raises StranglerError."""
    return Publishing(databases=wiring.monolith(), fleet=wiring.fleet())
