"""All cases, a module for each group of features. A new module is a line here."""

from __future__ import annotations

from tests.conformance.case import Case
from tests.conformance.cases import (
    attacks,
    bodies,
    connections,
    gateway,
    guarding,
    headers,
    holding,
    matching,
    shadowing,
    sharing,
    strictness,
)

_MODULES = (matching, sharing, headers, holding, shadowing, bodies, connections, strictness, attacks, guarding, gateway)


def by_feature() -> dict[str, list[Case]]:
    """The cases under their features, in the order in which they are documented."""
    found: dict[str, list[Case]] = {}
    for module in _MODULES:
        for case in module.cases():
            found.setdefault(case.feature, []).append(case)
    return found
