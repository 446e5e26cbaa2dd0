"""One chain of names and calls on its way: where it begins, where each link leads to, what is asked meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from strangler.analysis import guessing
from strangler.analysis.beginning import begin
from strangler.analysis.facts import Step, Value, chain_of
from strangler.analysis.lookups import hops_of_call, queries_in
from strangler.analysis.loops import is_each
from strangler.analysis.stepping import step_from
from strangler.analysis.supposing import supposed, surely
from strangler.analysis.symbols import File, Symbol
from strangler.analysis.typed import Does, Typed, Use

if TYPE_CHECKING:
    from strangler.analysis.following import Following
    from strangler.analysis.models import Registry

_DEEPEST = 6
_MAKES = frozenset({"create", "acreate", "bulk_create"})
_WITH_QUERIES = frozenset(
    {"filter", "exclude", "get", "annotate", "alias", "aggregate", "update", "union", "intersection", "difference"}
)
_PASSED = ("klass", "queryset", "qs")


@dataclass(kw_only=True)
class Walk:
    """Follows one chain in a scope of a file; "owner" is the class of "self" where that inherits the code."""

    following: Following
    file: File
    scope: str
    depth: int = 0
    owner: Symbol | None = None
    steps: list[Step] = field(default_factory=list)
    """The whole chain, where it counts what is asked along it."""
    found: list[Use] = field(default_factory=list)

    @property
    def registry(self) -> Registry:
        """The project's models."""
        return self.following.registry

    def follow(self, steps: list[Step]) -> Typed | None:
        """What the chain stands at in the end; None where nobody knows."""
        if self.depth > _DEEPEST:
            return None
        at, number = begin(self, steps)
        at = at or supposed(self, steps, number - 1)
        for index in range(number, len(steps)):
            if at is not None and at.what == "perhaps":
                at = surely(self.registry, at, steps[index].name)
            if at is not None and at.what == "set" and self._is_of_row(at.label, steps[index]):
                at = Typed("row", at.label)  # a method of its manager gave one
            at = self._from(at, steps[index]) if at is not None else None
            at = at or supposed(self, steps, index)
        return at

    def _from(self, at: Typed, step: Step) -> Typed | None:
        """Where a link leads to; of a row of several models, each way, and what is asked of one model counts once."""
        if at.what != "either":
            return step_from(self, at, step)
        number = len(self.found)
        rows = [one for one in at.parts if one is not None]
        having = [one for one in rows if self.registry.towards(one.label, step.name) is not None]
        ways = {step_from(self, one, step) for one in having or rows} - {None}
        asked = {(use.does, use.model): use for use in reversed(self.found[number:])}
        self.found[number:] = reversed(asked.values())
        return Typed.one_of([one for one in ways if one is not None])

    def note(self, does: Does, model: str, step: Step, detail: str, of: str = "") -> None:
        """Something is asked of a model. Where rows are only made, nothing is read before."""
        before = self.found[-1] if self.found else None
        if step.name in _MAKES and does is Does.WRITE and before and (before.does, before.model) == (Does.READ, model):
            self.found.pop()
        each = does is Does.NAVIGATE and of not in self.following.fetching and is_each(self.steps, step)
        self.found.append(Use(does=does, model=model, line=step.line, detail=detail, of=of, each=each))

    def join(self, label: str, step: Step) -> None:
        """Note what the paths and queries lead to that a method of a set is given."""
        step = replace(step, args=tuple(self._condition(value) for value in step.args)) if step.args else step
        for hop in hops_of_call(self.registry, label, step):
            self.note(Does.JOIN, hop.target, step, f"{step.name}: {hop.path}", of=hop.source)
        if step.name in _WITH_QUERIES:
            for query in queries_in((*step.args, *step.keywords.values())):
                at = self.following.type_of(self.file, self.scope, query, self.depth + 1)
                if at is not None and at.what in ("set", "query") and at.label != label:
                    self.note(Does.JOIN, at.label, step, f"{step.name}: a query of {at.label}", of=label)

    def _condition(self, value: Value) -> Value:
        """The conditions that a function of the project's gives; anything else as it is."""
        if not isinstance(value, list) or len(value) > 2 or not value[-1].called or value[-1].name[:1].isupper():
            return value
        symbol = self._function([step.name for step in value])
        function = self.registry.symbols.file_of(symbol).functions[symbol.name] if symbol.kind == "function" else None
        given = [steps for steps in function.returned if steps[0].name == "Q" and len(steps) == 1] if function else []
        return [Step(name="Q", line=value[-1].line, called=True, args=tuple(given))] if given else value

    def _function(self, names: list[str]) -> Symbol:
        """What a name stands for here, also that of a method of the same object."""
        own = guessing.class_at(self.file, self.scope) if names[0] in ("self", "cls") else None
        dotted = ".".join([own.name if own is not None else names[0], *names[1:]])
        return self.registry.symbols.find_in(self.file.module.name, dotted)

    def value(self, value: Value) -> Typed | None:
        """What a value stands at that something here is given."""
        steps = chain_of(value)
        return self.following.type_of(self.file, self.scope, steps, self.depth + 1, self.owner) if steps else None

    def passed(self, step: Step) -> list[Value]:
        """The set that a call is given to take some of."""
        return [step.keywords[name] for name in _PASSED if name in step.keywords]

    def filtered(self, step: Step) -> Typed | None:
        """Of a call that nobody knows: the set that it is given, which it gives back in part."""
        for value in self.passed(step):
            if isinstance(value, list):
                at = self.value(value)
                return at if at is not None and at.what == "set" else None
        return None

    def _is_of_row(self, label: str, step: Step) -> bool:
        registry = self.registry
        accessor = registry.accessor(label, step.name)
        return not step.called and (registry.inherited(label, step.name) is not None or accessor is not None)
