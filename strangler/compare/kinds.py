"""What is compared: the same shop, run as one process, as one of modules, and as services behind the proxy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT

PLAN = "0001_reviews"
SWITCHED = "7"
"""Operations of the plan after which the service owns and serves."""
BESIDE = ("aws", "relay_events", "consume_events", "consume_feedback", "payment", "worker", "visitors")
"""Parts that do nothing for a page: they are down while pages are measured, in every arm alike."""
_ONE_PROCESS = ("broker", "aws", "payment", "orchard", "worker", "relay_events", "consume_events", "consume_feedback")
_WITH_SERVICE = (*_ONE_PROCESS, "reviews", "proxy", "replicate", "visitors")
_ALONE = {
    "ORCHARD_REVIEWS_MOVED": "monolith.reviews.flags.never",
    "ORCHARD_REVIEWS_IDENTITY": "monolith.reviews.flags.no_identity",
    "ORCHARD_NOTIFICATIONS_MOVED": "monolith.reviews.flags.never",
    "ORCHARD_NOTIFICATIONS_IDENTITY": "monolith.reviews.flags.no_identity",
}
_MODULES = (ROOT, ROOT / "proxy", ROOT / "extracted" / "modular", ROOT / "extracted" / "reviews")


class ArmError(StranglerError):
    """There is no such arm."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One arm: what it is, in words, and how it differs from the system that "make up" starts."""

    name: str
    is_: str
    parts: tuple[str, ...] = _WITH_SERVICE  # of what the system has
    databases: tuple[str, ...] = ("orchard", "reviews")  # the servers
    front: str = "orchard"  # the part that is asked
    position: str | None = None  # how far the plan is carried out
    migration: str | None = None  # of the app reviews, beyond where the plan begins
    environment: Mapping[str, str] = field(default_factory=dict)  # of Orchard's process and its worker
    wsgi: str = "monolith.wsgi"

    @property
    def serves_apart(self) -> bool:
        """Whether the reviews are served, and owned, by the service."""
        return self.position is not None and int(self.position) >= int(SWITCHED)


MONOLITH = Kind(
    name="monolith",
    is_="Orchard as it was: one process for all routes, one database, asked without a proxy.",
    parts=_ONE_PROCESS,
    databases=("orchard",),
    environment=_ALONE,
)
MODULAR = Kind(
    name="modular",
    is_="The modular monolith (extracted/modular): the reviews service's own code mounted in Orchard's process, "
    "foreign "
    "keys across the seam cut, one database, asked without a proxy. Orchard's pages use the gateway's local placement.",
    parts=_ONE_PROCESS,
    databases=("orchard",),
    migration="0002_cut_foreign_keys",
    environment={
        **_ALONE,
        "DJANGO_SETTINGS_MODULE": "orchard_modular.settings",
        "PYTHONPATH": os.pathsep.join(map(str, _MODULES)),
    },
)
BEFORE = Kind(
    name="before",
    is_="The whole system before the plan: the proxy in front, everything still Orchard's.",
    front="proxy",
)
SERVICES = Kind(
    name="services",
    is_=f"The system with {PLAN} switched: the proxy in front, reviews in a service with a database of its own, "
    f"followed "
    "back into Orchard's, so that it can be reversed.",
    front="proxy",
    position=SWITCHED,
)
KINDS = {kind.name: kind for kind in (MONOLITH, MODULAR, BEFORE, SERVICES)}
"""The arms with names; others are steps of the plan, as "0001_reviews@6"."""
NULL = (
    MONOLITH,
    replace(MONOLITH, name="again", is_="The monolith once more: whatever is found between the two is an error."),
    replace(
        MONOLITH,
        name="delayed",
        is_="The monolith with 10 ms more on the light route: that must be found, and there alone.",
        environment={**_ALONE, "COMPARE_DELAY": "/api/reviews/=10"},
        wsgi="strangler.compare.delayed:application",
    ),
)
"""Arms of which is known beforehand where they differ."""


def kind_of(name: str) -> Kind:
    """The arm of that name, or the system at that step of the plan. Raises ArmError."""
    plan, _, position = name.partition("@")
    if plan == PLAN and position.isdecimal() and int(position) <= int(SWITCHED):
        words = f"The system with {position} of the operations of {PLAN} carried out, the proxy in front."
        return Kind(name=name, is_=words, front="proxy", position=position)
    known = {kind.name: kind for kind in (*KINDS.values(), *NULL)}
    if name not in known:
        steps = f"the system at a step of the plan, {PLAN}@0 to {PLAN}@{SWITCHED}"
        raise ArmError(f'there is no arm "{name}"; there are {", ".join(KINDS)}, and {steps}')
    return known[name]
