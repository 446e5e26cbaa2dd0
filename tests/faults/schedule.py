"""What happens in a seed: verbs, actors and faults, all drawn from one number."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from strangler.split import Side
from tests.faults.stores import Fault, Kind

_PLACES = (
    "", "", "", "set_owner", "set_owner", "step ", "step commit", "step publish", "step catch_up", "publish",
    "COMMIT", "COMMIT", "strangler.streams SET acknowledged", "WITH forgotten", "load", "delete",
    "BEGIN", "REPEATABLE READ", "FROM strangler.changes", "strangler.ownership", "strangler.unverified", "strangler.ranges", "TRIGGER", "claims",
)  # fmt: skip
"""Parts of what boundaries are called; where a fault may strike first."""


@dataclass(kw_only=True)
class Schedule:
    """One seed's."""

    seed: int
    verbs: list[str]
    clients: int
    proxies: int
    appliers: int
    rivals: list[tuple[float, str]]  # when, and what another executor does then
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    jumps: list[tuple[float, Side, float]] = field(default_factory=list)  # when, where, and by how many seconds
    log_limit: int = 8 * 1024**3

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {', '.join(self.verbs)}; {self.clients} clients, {self.proxies} proxies, "
            f"{self.appliers} appliers"
        ]
        lines += [f"  rival after {at:.2f} s: {what}" for at, what in self.rivals]
        lines += [f"  {who}: {fault}" for who, faults in self.faults.items() for fault in faults]
        lines += [f"  clock of the {side} jumps by {by:.0f} s after {at:.2f} s" for at, side, by in self.jumps]
        return "\n".join(lines)


def draw(seed: int) -> Schedule:
    """The schedule of a seed, always the same."""
    chance = random.Random(seed)
    switches = chance.choice(([Side.TARGET], [Side.TARGET, Side.SOURCE], [Side.TARGET, Side.SOURCE, Side.TARGET]))
    verbs = ["create", "copy", "verify", *(f"switch {side}" for side in switches)]
    if chance.random() < 0.1:
        verbs.insert(3, "recover")
    end = chance.random()
    if end < 0.12:
        verbs.append("complete")
    elif end < 0.24:
        verbs.append("cancel")
    schedule = Schedule(
        seed=seed,
        verbs=verbs,
        clients=chance.choice((2, 3, 4)),
        proxies=chance.choice((1, 1, 2)),
        appliers=chance.choice((1, 1, 2)),
        rivals=[
            (chance.uniform(0.2, 4.0), chance.choice(("recover", "switch source", "switch target", "copy", "verify")))
            for _ in range(chance.choice((0, 0, 1, 2)))
        ],
    )
    names = ["operator"] * 4 + [f"applier{n}" for n in range(schedule.appliers)] + ["client0", "client1", "watcher"]
    names += [f"rival{n}" for n in range(len(schedule.rivals))] * 2
    for _ in range(chance.choice((0, 1, 2, 3, 4, 6))):
        who, where = chance.choice(names), chance.choice(_PLACES)
        if who.startswith("client"):
            where = chance.choice(("", "COMMIT", "UPDATE", "INSERT"))
        nth = chance.randrange(1, 250) if not where else chance.randrange(1, 8)
        schedule.faults.setdefault(who, []).append(
            Fault(
                kind=chance.choice(list(Kind)),
                where=where,
                nth=nth,
                seconds=chance.choice((0.01, 0.1, 0.6, 2.5, 6.0, 15.0)) * chance.uniform(0.5, 1.5),
            )
        )
    if chance.random() < 0.15:
        schedule.jumps.append(
            (chance.uniform(0.1, 3.0), chance.choice(list(Side)), chance.choice((-90_000.0, -40.0, 30.0, 90_000.0)))
        )
    return schedule
