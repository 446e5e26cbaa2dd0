"""Where the walk over a file is, and what the local names stand for there."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from strangler.analysis.facts import PARTS, Step
from strangler.analysis.reading.syntax import dotted

_LONGEST = 24
"""Links of a chain that is carried on in a variable."""


@dataclass(kw_only=True, slots=True)
class Names:
    """The names of the classes and functions around, and the chains that local names stand for."""

    scope: list[str] = field(default_factory=list)
    known: dict[str, list[Step]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The scope as facts have it."""
        return ".".join(self.scope)

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        """In a class or function of this name."""
        self.scope.append(name)
        yield
        self.scope.pop()

    @contextmanager
    def for_a_while(self) -> Iterator[None]:
        """What is bound within is forgotten behind it."""
        outer, self.known = self.known, dict(self.known)
        yield
        self.known = outer

    def bind(self, target: ast.expr, steps: list[Step] | None) -> None:
        """Let what an assignment names stand for a chain; None is what nobody knows."""
        if isinstance(target, ast.Name):
            if not self.scope:
                self.known.pop(target.id, None)  # a module's names are looked up by whoever reads its facts
            elif steps is None or len(steps) > _LONGEST:
                self.known[target.id] = [Step(name="?" + target.id)]
            else:
                self.known[target.id] = [*steps[:-1], replace(steps[-1], local=target.id)]
        elif isinstance(target, ast.Tuple | ast.List):
            for number, part in enumerate(target.elts):
                # get_or_create() and the like give their object first.
                name = "[]" if number == 0 else f"{PARTS}{number}"
                self.bind(part, [*steps, Step(name=name)] if steps else None)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, None)

    def bind_anywhere(self, target: ast.expr, steps: list[Step] | None) -> None:
        """Names of a loop or comprehension: nobody looks them up from elsewhere, also at module level."""
        with self.within(""):
            self.bind(target, steps)

    def narrow(self, test: ast.expr) -> dict[str, tuple[list[Step], list[Step]]]:
        """Let locals be what isinstance() says; (what it was, what it is) of each, the former within the latter."""
        found = {}
        for part in test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]:
            match part:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]) if name in self.known:
                    if said := dotted(kind):
                        before = self.known[name]
                        at_first = before[0].args if before[0].name.startswith("@") and before[0].args else (before,)
                        self.known[name] = [Step(name="@" + said, args=at_first, local=name)]
                        found[name] = (before, self.known[name])
        return found

    def widen(self, narrowed: dict[str, tuple[list[Step], list[Step]]]) -> None:
        """Behind the branch of an isinstance(): what they were before, unless they became something else there."""
        for name, (before, steps) in narrowed.items():
            if self.known.get(name) is steps:
                self.known[name] = before
