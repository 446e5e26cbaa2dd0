"""What the gateway does beside routing: policies for patterns of paths. Standard library only, pure.

For a request each feature is taken from the most specific policy that states it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from strangler_proxy.gateway.authorize import Authorize
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.gateway.codec import decode, encode
from strangler_proxy.gateway.documents import Describe, Mock, Validate
from strangler_proxy.gateway.plans import Plan
from strangler_proxy.gateway.resilience import Resilience
from strangler_proxy.gateway.throttle import Throttle
from strangler_proxy.gateway.transform import Transform
from strangler_proxy.gateway.versions import Stage, Versions
from strangler_proxy.patterns import Patterns, placeholders, segments, shape


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What holds for the paths below a pattern; "/" is all of them. Raises ValueError."""

    path: str
    methods: tuple[str, ...] = ()
    """None is all; "GET" is HEAD as well. A policy for some methods goes before one for all at the same path."""
    without: tuple[str, ...] = ()
    """Features that more general policies state, and that do not hold here."""
    versions: Versions | None = None
    authorize: Authorize | None = None
    throttle: tuple[Throttle, ...] = ()
    describe: Describe | None = None
    transform: Transform | None = None
    validate: Validate | None = None
    mock: Mock | None = None
    cache: Cache | None = None
    resilience: Resilience | None = None
    longest_body: int | None = None
    """Bytes of a request's body; of a longer one nothing is taken."""

    def __post_init__(self) -> None:
        shape(self.path)
        if not isinstance(self.methods, tuple) or any(method != method.upper() for method in self.methods):
            raise ValueError(f'the methods of the policy for "{self.path}" must be a tuple of names in capitals')
        if unknown := sorted(set(self.without) - set(FEATURES)):
            raise ValueError(
                f'the policy for "{self.path}" is without "{unknown[0]}", which is no feature; they are '
                f"{', '.join(FEATURES)}"
            )
        made = [self.transform.path] if self.transform is not None else []
        made += [version.path for version in self.versions.known] if self.versions is not None else []
        for path in filter(None, made):
            self._check_made(path)
        if self.cache is not None and self.methods:
            raise ValueError(
                f'the policy for "{self.path}" caches for some methods; leave "methods" out of it: only reads are '
                "cached, and writes have to be seen"
            )

    def _check_made(self, path: str) -> None:
        shape(path)
        taken = set(placeholders(self.path))
        if unknown := [name for name in placeholders(path) if name not in taken]:
            raise ValueError(f'the policy for "{self.path}" makes of its path "{path}"; it has no {unknown[0]}')

    def holds_for(self, method: str) -> bool:
        return not self.methods or method in self.methods or (method == "HEAD" and "GET" in self.methods)

    def features(self) -> Iterator[str]:
        """The names of those that it states."""
        return (name for name in FEATURES if getattr(self, name))


FEATURES = tuple(field.name for field in fields(Policy) if field.name not in ("path", "methods", "without"))


@dataclass(frozen=True, kw_only=True)
class Effective(Policy):
    """What all policies together say of a request; its path is that of the most specific one."""

    stated: Mapping[str, str] = field(default_factory=dict)
    """The path of the policy that each feature is from."""

    def __post_init__(self) -> None:
        """Nothing: its parts were checked with the paths that they are from."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """All policies. A proxy refuses a lower revision than its own: raise it with every change."""

    revision: int = 0
    policies: tuple[Policy, ...] = ()
    plans: tuple[Plan, ...] = ()
    """What developers' keys may have."""
    stages: tuple[Stage, ...] = ()
    """Servers that versions of interfaces may have to themselves."""
    _tree: Patterns[tuple[int, ...]] = field(init=False, repr=False, compare=False, hash=False)
    _merged: dict[tuple[int, ...], Effective] = field(
        init=False, repr=False, compare=False, hash=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        if isinstance(self.revision, bool) or not isinstance(self.revision, int) or self.revision < 0:
            raise ValueError(f"the gateway's revision is {self.revision!r}; it must be a whole number from 0")
        names = [plan.name for plan in self.plans]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f'two plans are named "{twice[0]}"; give one of them another name')
        self._check_stages()
        at: dict[tuple[str, ...], list[int]] = {}
        for number, policy in enumerate(self.policies):
            at.setdefault(shape(policy.path), []).append(number)
        for numbers in at.values():
            self._check_overlap([self.policies[number] for number in numbers])
            numbers.sort(key=lambda number: bool(self.policies[number].methods))
        patterns = ((self.policies[numbers[0]].path, tuple(numbers)) for numbers in at.values())
        object.__setattr__(self, "_tree", Patterns(patterns))

    def __bool__(self) -> bool:
        return bool(self.policies)

    def plan(self, name: str) -> Plan | None:
        """The plan of that name."""
        return next((plan for plan in self.plans if plan.name == name), None)

    def policy(self, method: str, target: str) -> Effective | None:
        """What holds for a request; None for nothing.

        Raises AmbiguousPath where policies hold and the target's path can be read in more than one way, since another
        reading would be another policy.
        """
        if not self.policies:
            return None
        if (parts := segments(target)) is None:
            raise AmbiguousPath
        found = tuple(
            number for numbers in self._tree.all(parts) for number in numbers if self.policies[number].holds_for(method)
        )
        if not found:
            return None
        if found not in self._merged:  # as many as there are paths through the tree, not as there are requests
            self._merged[found] = _merge([self.policies[number] for number in found])
        return self._merged[found]

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Gateway:
        """Raises ValueError with one sentence."""
        lists = ("policies", "plans", "stages")
        if not isinstance(given, Mapping) or not all(isinstance(given.get(name, []), list) for name in lists):
            raise ValueError(
                'the gateway must be an object with "revision", and lists of "policies", "plans" and "stages"'
            )
        return cls(
            revision=given.get("revision", 0),
            policies=tuple(
                decode(Policy, policy, f"policy {number} of the gateway")
                for number, policy in enumerate(given.get("policies", []))
            ),
            plans=tuple(
                decode(Plan, plan, f"plan {number} of the gateway")
                for number, plan in enumerate(given.get("plans", []))
            ),
            stages=tuple(
                decode(Stage, stage, f"stage {number} of the gateway")
                for number, stage in enumerate(given.get("stages", []))
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """The object that from_json reads."""
        lists = {"policies": self.policies, "plans": self.plans, "stages": self.stages}
        return {"revision": self.revision, **{name: list(map(encode, given)) for name, given in lists.items()}}

    def _check_stages(self) -> None:
        known = {stage.name for stage in self.stages}
        for policy in self.policies:
            for version in policy.versions.known if policy.versions is not None else ():
                if version.stage and version.stage not in known:
                    raise ValueError(
                        f'the version "{version.name}" is at the stage "{version.stage}", which is none of the '
                        f"gateway's ({', '.join(sorted(known)) or 'it has none'})"
                    )

    def _check_overlap(self, policies: list[Policy]) -> None:
        claimed: set[str] = set()
        for policy in policies:
            methods = set(policy.methods) or {"every method"}
            if "GET" in methods:
                methods.add("HEAD")
            if twice := sorted(claimed & methods):
                raise ValueError(f'two policies are for "{policy.path}" and {twice[0]}; make one of them')
            claimed |= methods


class AmbiguousPath(ValueError):
    """A path that servers read differently: with dot segments, empty segments or an encoded slash."""


NO_GATEWAY = Gateway()


def _merge(policies: list[Policy]) -> Effective:
    stated: dict[str, Policy] = {}
    for policy in policies:
        for name in policy.without:
            stated.pop(name, None)
        stated.update(dict.fromkeys(policy.features(), policy))
    return Effective(
        path=policies[-1].path,
        stated={name: policy.path for name, policy in stated.items()},
        **{name: getattr(policy, name) for name, policy in stated.items()},
    )
