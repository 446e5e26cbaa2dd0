"""How good a partition of a system is, by the five metrics that Mono2Micro was judged by. Pure.

A. K. Kalia et al., "Mono2Micro: a practical and effective tool for decomposing monolithic Java applications to
microservices", ESEC/FSE 2021, section 4.2. The entities are modules and models here, the use cases routes.

Where the words leave a choice, its authors' published calls, partitions and results decide: a natural logarithm, calls
by 1 + ln(times), an interface for each pair of entities that call each other across, nobody's calls of itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_FEWEST, _MOST = 5, 20
"""Entities of a partition that is not extreme."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """The metrics of one partition, each with what is better."""

    business_context_purity: float  # lower: mean of ln of the use cases that a part takes part in
    inter_call_percentage: float  # lower: calls between parts, of all calls, each pair's by 1 + ln; 0 to 1
    structural_modularity: float  # higher: edges within parts, less those between them, by the pairs there could be
    interface_number: float  # lower: pairs of entities that call from part to part, by the parts
    non_extreme_distribution: float  # lower: share of entities in parts of fewer than 5 or more than 20


def quality(
    parts: Mapping[str, int], calls: Mapping[tuple[str, str], int], use_cases: Iterable[Iterable[str]]
) -> Quality:
    """The metrics of a partition.

    "parts" names each entity's part; "calls" counts them from entity to entity; of each use case its entities. What
    is in no part is left out. Raises ValueError where there are no parts.
    """
    if not parts:
        raise ValueError("there is nothing to be judged: no entity is in any part")
    known = {
        pair: 1 + math.log(count)
        for pair, count in calls.items()
        if pair[0] != pair[1] and pair[0] in parts and pair[1] in parts
    }
    across = {pair: times for pair, times in known.items() if parts[pair[0]] != parts[pair[1]]}
    return Quality(
        business_context_purity=_purity(parts, use_cases),
        inter_call_percentage=math.fsum(across.values()) / (math.fsum(known.values()) or 1),
        structural_modularity=_modularity(parts, known),
        interface_number=len(across) / len(set(parts.values())),
        non_extreme_distribution=_extreme(parts),
    )


def _purity(parts: Mapping[str, int], use_cases: Iterable[Iterable[str]]) -> float:
    members: dict[int, set[str]] = {}
    for entity, part in parts.items():
        members.setdefault(part, set()).add(entity)
    contexts: Counter[int] = Counter()
    for use_case in use_cases:
        contexts.update(part for part, entities in members.items() if not entities.isdisjoint(use_case))
    return math.fsum(math.log(contexts[part]) for part in members if contexts[part]) / len(members)


def _modularity(parts: Mapping[str, int], calls: Iterable[tuple[str, str]]) -> float:
    sizes = Counter(parts.values())
    within: Counter[int] = Counter()
    between: Counter[tuple[int, int]] = Counter()
    for caller, callee in calls:
        one, other = parts[caller], parts[callee]
        if one == other:
            within[one] += 1
        else:
            between[(one, other) if one < other else (other, one)] += 1
    count = len(sizes)
    cohesion = math.fsum(within[part] / size**2 for part, size in sizes.items()) / count
    if count == 1:
        return cohesion
    coupling = math.fsum(edges / (2 * sizes[one] * sizes[other]) for (one, other), edges in between.items())
    return cohesion - coupling / (count * (count - 1) / 2)


def _extreme(parts: Mapping[str, int]) -> float:
    sizes = Counter(parts.values())
    return 1 - sum(size for size in sizes.values() if _FEWEST <= size <= _MOST) / len(parts)
