"""Walks from what is changed: back to the entries that reach it, and on to the tables that it reaches. Pure."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from strangler.analysis.reach.usage import Entry, Touch, Usage

_RARE = 3
"""Classes that have a method of this name, up to which the name alone says enough."""
_COMMON = frozenset(
    name for kind in (str, bytes, dict, list, set, int, float) for name in dir(kind) if not name.startswith("__")
) | frozenset(
    {"all", "filter", "exclude", "create", "save", "delete", "first", "last", "order_by", "values", "annotate", "close"}
    | {
        "open",
        "read",
        "write",
        "run",
        "send",
        "post",
        "patch",
        "head",
        "options",
        "name",
        "url",
        "path",
        "size",
        "data",
    }
)
_NEAR = 3
"""Steps from somebody to a class, and to a call of a method by its name, within which he may give an object of it."""
_NEAR_BY = (2, 1)
"""The same where many other things have a method of that name, such as get()."""
_UNSURE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Reached:
    """A node on the way. "via" is the node before it, towards the change; empty for what is changed itself."""

    node: str
    steps: int
    sure: bool
    """Whether no step went by a method's name alone, or by a convention."""
    via: str


@dataclass(frozen=True, kw_only=True)
class Walk:
    """All walks over one usage."""

    usage: Usage

    @cached_property
    def _callers(self) -> Mapping[str, set[str]]:
        """Who uses each node, but modules: that one names something at its top level makes nobody use it."""
        known = self.usage.places
        return {
            node: {user for user in users if user in known or " " in user}
            for node, users in self.usage.callers().items()
        }

    @cached_property
    def _called(self) -> Mapping[str, set[str]]:
        return dict(self.usage.called())

    @cached_property
    def _perhaps(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for source, targets in self.usage.perhaps.items():
            for target in targets:
                found.setdefault(target, set()).add(source)
        return found

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        return {entry.node: entry for entry in self.usage.entries}

    def back(self, changed: Collection[str]) -> dict[str, Reached]:
        """Everything that uses what is changed, over the fewest steps; surely, where there is such a way."""
        found: dict[str, Reached] = {}
        waiting = [(0, node, "") for node in sorted(changed)]
        while waiting:
            cost, node, via = heapq.heappop(waiting)
            if node in found:
                continue
            found[node] = Reached(node=node, steps=cost % _UNSURE, sure=cost < _UNSURE, via=via)
            for user in self._callers.get(node, ()):
                # An entry is as near as what it begins with.
                entry = self._entries.get(user)
                step = 0 if entry is not None and entry.starts == node else 1
                heapq.heappush(waiting, (cost + step, user, node))
            for user in self._guessed(node):
                unsure = 0 if cost >= _UNSURE else _UNSURE
                heapq.heappush(waiting, (cost + unsure + 1, user, node))
        return found

    def is_used(self, node: str) -> bool:
        """Whether anything else uses a node, perhaps."""
        return any(user != node for user in chain(self._callers.get(node, ()), self._guessed(node)))

    def entries(self, reached: Mapping[str, Reached]) -> list[tuple[Entry, Reached]]:
        """The entries among those, the nearest first; ones that start at several places once."""
        found: dict[tuple[str, str], tuple[Entry, Reached]] = {}
        for entry in self.usage.entries:
            if (at := reached.get(entry.node)) is not None:
                known = found.get((entry.kind, entry.name))
                if known is None or _order(at) < _order(known[1]):
                    found[entry.kind, entry.name] = (entry, at)
        return sorted(found.values(), key=lambda one: (*_order(one[1]), one[0].name))

    def tables(self, changed: Collection[str]) -> list[tuple[Touch, Reached]]:
        """The tables that what is changed reads and writes, itself or by what it uses; each once for each."""
        found: dict[tuple[str, str], tuple[Touch, Reached]] = {}
        for at in self.onwards(changed).values():
            touches = sorted(self.usage.touches.get(at.node, ()))
            if not at.steps and at.node in self.usage.tables:
                touches.append(self.usage.tables[at.node])
            for touch in touches:
                known = found.get((touch.table, touch.does))
                if known is None or _order(at) < _order(known[1]):
                    found[touch.table, touch.does] = (touch, at)
        return sorted(found.values(), key=lambda one: (*_order(one[1]), one[0]))

    def onwards(self, changed: Collection[str]) -> dict[str, Reached]:
        """Everything that what is changed uses. A method is used where its class is, and somebody calls one so."""
        found: dict[str, Reached] = {}
        waiting = [(0, node, "") for node in sorted(changed)]
        called: dict[str, tuple[int, str]] = {}
        while waiting:
            cost, node, via = heapq.heappop(waiting)
            if node in found:
                continue
            found[node] = Reached(node=node, steps=cost % _UNSURE, sure=cost < _UNSURE, via=via)
            for used in self.usage.uses.get(node, ()):
                heapq.heappush(waiting, (cost + 1, used, node))
            unsure = cost + 1 if cost >= _UNSURE else cost + _UNSURE + 1
            for used in self.usage.perhaps.get(node, ()):
                heapq.heappush(waiting, (unsure, used, node))
            for name in self.usage.names.get(node, ()):
                called.setdefault(name, (unsure, node))
                for method, owner in self.usage.methods.get(name, {}).items():
                    if owner in found:
                        heapq.heappush(waiting, (unsure, method, node))
            for name, method in self._methods_of.get(node, ()):
                if name in called:
                    heapq.heappush(waiting, (max(unsure, called[name][0]), method, called[name][1]))
        return found

    @cached_property
    def _methods_of(self) -> Mapping[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {}
        for name, methods in self.usage.methods.items():
            for method, owner in methods.items():
                found.setdefault(owner, set()).add((name, method))
        return found

    def _guessed(self, node: str) -> Iterator[str]:
        """Who uses a node perhaps: by a convention, or because a method is called so in sight of its class."""
        yield from self._perhaps.get(node, ())
        last = node.rpartition(".")[2]
        for name in (last, f"{last}()"):
            owner = self.usage.methods.get(name, {}).get(node)
            users = self._called.get(name, set()) if owner is not None else set()
            if not users or owner is None:
                continue
            rare = self._is_rare(name)
            to_class, to_giver = (None, None) if rare else _NEAR_BY if last in _COMMON else (_NEAR, _NEAR)
            sight = self._sight(owner, to_class)
            # Where nobody is seen to make such an object, a rare name is all there is.
            nameless = rare and not any(node in self._entries for node in sight)
            yield from (user for user in users if nameless or self._is_given(user, sight, to_giver))

    def _is_rare(self, name: str) -> bool:
        return name.removesuffix("()") not in _COMMON and len(self.usage.methods.get(name, ())) <= _RARE

    def _is_given(self, user: str, sight: set[str], most: int | None) -> bool:
        """Whether one who comes to a node, within so many steps at most, sees a class: it may give an object of it."""
        seen, fresh, steps = {user}, {user}, 0
        while fresh and (most is None or steps <= most):
            if fresh & sight:
                return True
            fresh = {other for node in fresh for other in self._callers.get(node, ())} - seen
            seen |= fresh
            steps += 1
        return False

    def _sight(self, owner: str, most: int | None) -> set[str]:
        """Everything from which a class is reached, within so many steps at most."""
        if (owner, most) not in self._seen:
            seen, fresh, steps = {owner}, {owner}, 0
            while fresh and (most is None or steps < most):
                fresh = {user for node in fresh for user in self._callers.get(node, ())} - seen
                seen |= fresh
                steps += 1
            self._seen[owner, most] = seen
        return self._seen[owner, most]

    @cached_property
    def _seen(self) -> dict[tuple[str, int | None], set[str]]:
        return {}


def _order(at: Reached) -> tuple[bool, int]:
    return (not at.sure, at.steps)


def way(reached: Mapping[str, Reached], node: str) -> list[str]:
    """The nodes from one that was reached to what is changed."""
    found = [node]
    while via := reached[found[-1]].via:
        found.append(via)
    return found
