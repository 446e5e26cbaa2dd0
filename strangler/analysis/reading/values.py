"""What expressions are: chains of names and calls, constants, and texts and lists of these."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from strangler.analysis.facts import NOTHING, PARTS, Named, Step, Value
from strangler.analysis.reading.names import Names
from strangler.analysis.reading.syntax import carried
from strangler.analysis.reading.texts import joined, printable

_DEEPEST = 40
"""Values within values; what is deeper counts as unknown."""
_MOST = 24
"""Conditions in one that is put together from others."""


class Values:
    """Looks at expressions by what the names stand for where they are; "assigned" are those of the module."""

    def __init__(self, names: Names, assigned: Mapping[str, Value]) -> None:
        self._names = names
        self._assigned = assigned
        self._depth = 0
        self._calls: dict[int, list[Step] | None] = {}
        """Of the statement that is read: what is given to a call is looked at with it, and by itself."""

    def next_statement(self) -> None:
        """What was seen of the statement before is forgotten."""
        self._calls.clear()

    def steps(self, node: ast.expr | None) -> list[Step] | None:
        """The chain that an expression is; None for anything else."""
        if isinstance(node, ast.Name):
            return self._names.known.get(node.id) or [Step(name=node.id)]
        if isinstance(node, ast.Attribute):
            steps = self.steps(node.value)
            return steps and [*steps, Step(name=node.attr, line=node.end_lineno or 0)]
        if isinstance(node, ast.Call):
            if id(node) not in self._calls:
                steps = self.steps(node.func)
                self._calls[id(node)] = steps and self._called(node, steps)
            return self._calls[id(node)]
        if isinstance(node, ast.Subscript):
            steps = self.steps(node.value)
            index = self.value(node.slice)
            name = f"[{index}]" if _is_text(index) else "[:]" if isinstance(node.slice, ast.Slice) else "[]"
            return steps and [*steps, Step(name=name, args=(index,) if isinstance(index, Named) else ())]
        if isinstance(node, ast.BinOp):
            return self.both(node.left, node.op, node.right)
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert) else carried(node)
        return self.steps(inner) if inner is not None else None

    def returned(self, node: ast.expr) -> list[Step] | None:
        """The chain that is given back; of a tuple one link with all of its parts."""
        if isinstance(node, ast.Tuple):
            return [Step(name=PARTS, args=tuple(self.value(part) for part in node.elts))]
        return self.steps(node)

    def both(self, left: ast.expr, how: ast.operator, right: ast.expr) -> list[Step] | None:
        """What | and & make of conditions, one with the paths of all, or of two sets."""
        if not isinstance(how, ast.BitOr | ast.BitAnd):
            return None
        parts = [right]
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.BitOr | ast.BitAnd):
            parts.append(left.right)
            left = left.left
        found = [self.steps(part) for part in (left, *reversed(parts))]
        if not any(_is_condition(steps) for steps in found):
            return found[0]
        inner = [one for steps in found for one in (_gathered(steps) or [steps])]
        return [Step(name="Q", line=left.lineno, called=True, args=tuple(inner[:_MOST]))]

    def value(self, node: ast.expr) -> Value:
        """What an expression is as an argument, or as what something is assigned."""
        see = _VALUES.get(type(node)) if self._depth < _DEEPEST else None
        self._depth += 1
        found = see(self, node) if see is not None else None
        self._depth -= 1
        return found

    def _called(self, node: ast.Call, steps: list[Step]) -> list[Step]:
        """The chain with its last link called."""
        if steps[-1].called or (isinstance(node.func, ast.Name) and node.func.id in self._names.known):
            steps = [*steps, Step(name="()")]
        last = steps[-1]
        called = Step(
            name=last.name,
            line=last.line or node.lineno,
            called=True,
            args=tuple(self.value(argument) for argument in node.args),
            keywords={key.arg or "**": self.value(key.value) for key in node.keywords} if node.keywords else NOTHING,
        )
        return [*steps[:-1], called]

    def _of_constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            return printable(node.value)
        return node.value if isinstance(node.value, int | float) else None

    def _of_list(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        return tuple(self.value(part) for part in node.elts)

    def _of_sum(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(left, str) and isinstance(right, str) and not isinstance(left, Named):
            return left + right
        return (*parts_of(left), *parts_of(right))

    def _of_not(self, node: ast.UnaryOp) -> Value:
        return self.value(node.operand)

    def _of_joined(self, node: ast.JoinedStr) -> Value:
        return joined(node, self._assigned)

    def _of_dict(self, node: ast.Dict) -> Value:
        pairs = zip(node.keys, node.values, strict=True)
        return {str(self.value(key)): self.value(value) for key, value in pairs if key is not None}

    def _of_name(self, node: ast.Name | ast.Attribute) -> Value:
        steps = self.steps(node)
        if steps is None or any(step.called for step in steps):
            return steps
        return Named(".".join(step.name for step in steps))


_VALUES: dict[type[ast.expr], Callable[[Values, Any], Value]] = {
    ast.Constant: Values._of_constant,
    ast.List: Values._of_list,
    ast.Tuple: Values._of_list,
    ast.Set: Values._of_list,
    ast.BinOp: Values._of_sum,
    ast.UnaryOp: Values._of_not,
    ast.JoinedStr: Values._of_joined,
    ast.Dict: Values._of_dict,
    ast.Call: Values.steps,
    ast.Name: Values._of_name,
    ast.Attribute: Values._of_name,
    ast.Subscript: Values.steps,
}


def parts_of(value: Value) -> Iterable[Value]:
    """Each of several values, or the one."""
    return value if isinstance(value, tuple) else (value,)


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Named)


def _is_condition(steps: list[Step] | None) -> bool:
    return steps is not None and len(steps) == 1 and steps[0].called and steps[0].name == "Q"


def _gathered(steps: list[Step] | None) -> list[Value]:
    """The conditions in one that was put together from others, so that many lines of "|=" do not nest."""
    args = steps[0].args if steps and _is_condition(steps) and not steps[0].keywords else ()
    return list(args) if all(isinstance(one, list) for one in args) else []
