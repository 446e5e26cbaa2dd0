"""What happens in a seed: verbs, actors and faults, all drawn from one number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from strangler.split import Capture, Side
from tests.faults.bench import Fault, Kind

_PLACES = (
    *("", "", "", "set_owner", "set_owner", "step ", "step commit", "step publish", "step catch_up", "publish"),
    *("BEGIN", "REPEATABLE READ", "COMMIT", "COMMIT", "load", "delete", "WITH forgotten", "FROM strangler.changes"),
    *("strangler.streams SET acknowledged", "strangler.ownership", "strangler.unverified", "strangler.ranges"),
    *("TRIGGER", "claims"),
)
"""Parts of what boundaries are called; where a fault may strike first."""
_PLACES_OF_THE_LOG = (
    *("slot_peek", "slot_peek", "slot_advance", "WITH applied", "WITH applied", "strangler.slots", "create_logical"),
    *("emit_message", "flush_lsn", "current_snapshot", "FROM pg_replication_slots", "SAVEPOINT"),
)
"""The same where a move is captured by the server's own log."""

_STEPS = ("picture", "gates", "hold", "fence", "catch_up", "verify", "commit", "publish", "back_bump", "back_open")
_SELDOM = (Kind.CRASH, Kind.CRASH_AFTER)
"""What costs a second, or two."""
_OFTEN = tuple(kind for kind in Kind if kind not in _SELDOM)
_RIVAL = ("recover", "switch source", "switch target", "copy", "verify")


@dataclass(kw_only=True)
class Schedule:
    """One seed's."""

    seed: int
    verbs: list[str]
    brought: bool  # created, copied and compared beforehand
    clients: int
    proxies: int
    appliers: int
    rivals: list[tuple[float, str]]  # when, and what another executor does then
    capture: Capture = Capture.TRIGGERS
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    jumps: list[tuple[float, Side, float]] = field(default_factory=list)  # when, where, and by how many seconds
    dying_proxies: list[tuple[float, int]] = field(default_factory=list)  # when, and which one

    def __str__(self) -> str:
        lines = [
            f"seed {self.seed}: {'brought, ' * self.brought}{', '.join(self.verbs)}; {self.clients} clients, "
            f"{self.proxies} proxies, {self.appliers} appliers, captured by {self.capture}"
        ]
        lines += [f"  rival after {at:.2f} s: {what}" for at, what in self.rivals]
        lines += [f"  {who}: {fault}" for who, faults in self.faults.items() for fault in faults]
        lines += [f"  clock of the {side} jumps by {by:.0f} s after {at:.2f} s" for at, side, by in self.jumps]
        lines += [f"  proxy{n} dies after {at:.2f} s" for at, n in self.dying_proxies]
        return "\n".join(lines)


def draw(seed: int, capture: Capture | None = None) -> Schedule:
    """The schedule of a seed, always the same; with this capture, or the seed's own."""
    chance = random.Random(seed)
    # Ten in forty by the server's log; in a row, since another capture is another move, which has to be created.
    capture = capture or (Capture.LOG if seed // 10 % 4 == 3 else Capture.TRIGGERS)
    places = _PLACES if capture is Capture.TRIGGERS else _PLACES + _PLACES_OF_THE_LOG
    switches = chance.choice(([Side.TARGET], [Side.TARGET, Side.SOURCE], [Side.TARGET, Side.SOURCE, Side.TARGET]))
    verbs = [f"switch {side}" for side in switches]
    brought = chance.random() < 0.85
    if not brought:
        verbs = ["create", "copy", "verify", *verbs]
    if chance.random() < 0.1:
        verbs.insert(-1, "recover")
    end = chance.random()
    if end < 0.07:
        verbs.append("complete")
    elif end < 0.14:
        verbs.append("cancel")
    schedule = Schedule(
        seed=seed,
        verbs=verbs,
        brought=brought,
        clients=chance.choice((2, 3, 4)),
        proxies=chance.choice((1, 1, 2)),
        appliers=chance.choice((1, 1, 2)),
        rivals=[(chance.uniform(0.1, 2.0), chance.choice(_RIVAL)) for _ in range(chance.choice((0, 0, 1, 2)))],
        capture=capture,
    )
    if chance.random() < 0.4:
        _add(schedule, "operator", _sleeper(chance))
    names = ["operator"] * 4 + [f"applier{n}" for n in range(schedule.appliers)] * 2 + ["client0", "client1"]
    names += [f"rival{n}" for n in range(len(schedule.rivals))] * 2
    for _ in range(chance.choice((0, 0, 1, 2, 3, 5))):
        _add(schedule, who := chance.choice(names), _any(chance, who, places, 120 if brought else 250, _OFTEN))
    if chance.random() < 0.06:
        _add(schedule, who := chance.choice(names), _any(chance, who, places, 120 if brought else 250, _SELDOM))
    if chance.random() < 0.12:
        schedule.jumps.append(
            (chance.uniform(0.1, 2.0), chance.choice(list(Side)), chance.choice((-90_000.0, -40.0, 30.0, 90_000.0)))
        )
    if chance.random() < 0.12:
        schedule.dying_proxies.append((chance.uniform(0.1, 2.0), chance.randrange(schedule.proxies)))
    return schedule


def _add(schedule: Schedule, who: str, fault: Fault) -> None:
    schedule.faults.setdefault(who, []).append(fault)


def _sleeper(chance: random.Random) -> Fault:
    """The executor stops at a step of a switch, and wakes when somebody else has done something."""
    return Fault(
        kind=Kind.SLEEP,
        where=f"step {chance.choice(_STEPS)}",
        nth=chance.choice((1, 1, 2)),
        seconds=chance.uniform(0.1, 6.0),
        then=chance.choice(("recover", "recover", "recover, switch target", "recover, switch source", "")),
    )


def _any(chance: random.Random, who: str, places: Sequence[str], boundaries: int, kinds: Sequence[Kind]) -> Fault:
    where = chance.choice(("", "COMMIT", "UPDATE", "INSERT") if who.startswith("client") else places)
    return Fault(
        kind=chance.choice(kinds),
        where=where,
        nth=chance.randrange(1, 5) if where else chance.randrange(1, boundaries),
        seconds=chance.choice((0.01, 0.1, 0.6, 2.5, 6.0)) * chance.uniform(0.5, 1.5),
    )
