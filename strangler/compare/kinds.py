"""What is compared: the same shop, run as one process, as one of modules, and as services behind the proxy."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT

PLAN = "0001_reviews"
SWITCHED = {PLAN: "7", "0002_notifications": "4"}
"""Operations of each plan after which its service owns and serves."""
_OF_EVENTS = ("relay_events", "consume_events", "consume_feedback", "notifications-events", "notifications-feedback")
BESIDE = ("aws", *_OF_EVENTS, "notifications-worker", "payment", "worker", "visitors")
"""Parts that do nothing for a page: they are down while pages are measured, in every arm alike."""
_ONE_PROCESS = ("broker", "aws", "payment", "orchard", "worker", "relay_events", "consume_events", "consume_feedback")
_WITH_SERVICE = (*_ONE_PROCESS, "reviews", "proxy", "replicate", "visitors")
_ALL = (*_WITH_SERVICE, "notifications", "notifications-events", "notifications-feedback", "notifications-worker")
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
    plans: tuple[tuple[str, str], ...] = ()  # which, and how far they are carried out
    migration: str | None = None  # of the app reviews, beyond where the plan begins
    environment: Mapping[str, str] = field(default_factory=dict)  # of Orchard's process and its worker
    wsgi: str = "monolith.wsgi"

    @property
    def serves_apart(self) -> bool:
        """Whether the reviews are served, and owned, by the service."""
        return any(plan == PLAN and int(position) >= int(SWITCHED[PLAN]) for plan, position in self.plans)


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
    "foreign keys across the seam cut, one database, asked without a proxy. Orchard's pages find the reviews local.",
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
    is_="The system before any plan: the proxy in front, the reviews service beside it, everything still Orchard's.",
    front="proxy",
)
SERVICES = Kind(
    name="services",
    is_=f"The system with {PLAN} switched: the proxy in front, reviews in a service with a database of its own, "
    "followed back into Orchard's, so that it can be reversed.",
    front="proxy",
    plans=((PLAN, SWITCHED[PLAN]),),
)
ALL = Kind(
    name="all",
    is_="The system with every plan switched: reviews and notifications in services of their own, which share a "
    "database server, both followed back into Orchard's.",
    parts=_ALL,
    front="proxy",
    plans=tuple(SWITCHED.items()),
)
KINDS = {kind.name: kind for kind in (MONOLITH, MODULAR, BEFORE, SERVICES, ALL)}
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
    """The arm of that name, or the system at that step of a plan. Raises ArmError."""
    plan, _, position = name.partition("@")
    if plan in SWITCHED and position.isdecimal() and int(position) <= int(SWITCHED[plan]):
        words = f"The system with {position} of the operations of {plan} carried out, the proxy in front."
        parts = _WITH_SERVICE if plan == PLAN else _ALL
        return Kind(name=name, is_=words, parts=parts, front="proxy", plans=((plan, position),))
    known = {kind.name: kind for kind in (*KINDS.values(), *NULL)}
    if name not in known:
        steps = "the system at a step of a plan: " + ", ".join(f"{plan}@0 to @{end}" for plan, end in SWITCHED.items())
        raise ArmError(f'there is no arm "{name}"; there are {", ".join(KINDS)}, and {steps}')
    return known[name]
