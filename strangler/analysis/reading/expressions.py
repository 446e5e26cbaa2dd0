"""The walk over the expressions of a file: notes chains, texts and names that stand alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from strangler.analysis.facts import EACH, Chain, Facts, Step
from strangler.analysis.reading.names import Names
from strangler.analysis.reading.syntax import SAME
from strangler.analysis.reading.texts import joined, literal, statement_in
from strangler.analysis.reading.values import Values

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){1,8}")
_LONGEST_PATH = 200


class Expressions:
    """Sees each expression once, and what stands within it."""

    def __init__(self, facts: Facts, names: Names, values: Values) -> None:
        self._facts = facts
        self._names = names
        self._values = values

    def see(self, node: ast.expr) -> None:
        """Note what an expression says."""
        see = _EXPRESSIONS.get(type(node))
        if see is not None:
            see(self, node)
        else:
            self._within(node)

    def see_stored(self, node: ast.Attribute | ast.Subscript) -> None:
        """Note a chain that is assigned to."""
        self._chain(node, stored=True)

    def bind_each(self, target: ast.expr, iterated: ast.expr) -> None:
        """Let a loop's names stand for each of what it goes over; sorted() and the like give what they are given."""
        while isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.args:
            if iterated.func.id == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
                self._names.bind(target.elts[0], None)
                target = target.elts[1]
            elif iterated.func.id not in SAME:
                break
            iterated = iterated.args[0]
        steps = self._values.steps(iterated)
        self._names.bind_anywhere(target, [*steps, Step(name=EACH)] if steps else None)

    def setting_of_requests(self, key: ast.expr | None, value: ast.expr) -> None:
        """Whether requests are transactions, as a database's settings say."""
        if isinstance(key, ast.Constant) and key.value == "ATOMIC_REQUESTS":
            self._facts.atomic_requests = not (isinstance(value, ast.Constant) and not value.value)

    def _within(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.see(child)
            else:
                self._within(child)

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._sql(node.value, node.lineno)
            if "." in node.value and _DOTTED.fullmatch(node.value):
                self._facts.dotted.append((node.lineno, self._names.path, node.value))
            self._path(node.value)

    def _sum(self, node: ast.BinOp) -> None:
        """A statement may be put together from pieces that are all known."""
        if text := literal(node, self._facts.assigned):
            self._sql(text, node.lineno)
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            self.see(left.right)
            left = left.left
        self.see(left)

    def _dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            self.setting_of_requests(key, value)
            if key is not None:
                self.see(key)
            self.see(value)

    def _joined(self, node: ast.JoinedStr) -> None:
        text = joined(node, self._facts.assigned)
        self._sql(text, node.lineno)
        self._path(text)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.see(part.value)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        with self._names.for_a_while():
            for generator in node.generators:
                self.see(generator.iter)
                self.bind_each(generator.target, generator.iter)
                for condition in generator.ifs:
                    self.see(condition)
            for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
                self.see(part)

    def _lambda(self, node: ast.Lambda) -> None:
        with self._names.for_a_while():
            for argument in node.args.args:
                self._names.known[argument.arg] = [Step(name="?" + argument.arg)]
            self.see(node.body)

    def _walrus(self, node: ast.NamedExpr) -> None:
        self.see(node.value)
        self._names.bind(node.target, self._values.steps(node.value))

    def _chain(self, node: ast.expr, *, stored: bool = False) -> None:
        """Note the whole chain, then what stands in its brackets."""
        if isinstance(node, ast.Name):  # what a local stands for was noted where it was made
            if node.id not in self._names.known:
                self._facts.names.add((self._names.path, node.id))
            return
        steps = self._values.steps(node)
        if steps is not None:
            self._facts.chains.append(Chain(scope=self._names.path, line=node.lineno, steps=steps, stored=stored))
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Call):
                for inner in (*node.args, *(keyword.value for keyword in node.keywords)):
                    self.see(inner)
                node = node.func
            elif isinstance(node, ast.Subscript):
                self.see(node.slice)
                node = node.value
            elif isinstance(node, ast.Attribute | ast.Await | ast.Starred):
                node = node.value
            else:
                self.see(node)
                return

    def _path(self, text: str) -> None:
        if text.startswith("/") and len(text) <= _LONGEST_PATH:
            self._facts.paths.add((self._names.path, text))

    def _sql(self, text: str, line: int) -> None:
        if statement := statement_in(text):
            self._facts.sql.append((line, self._names.path, statement))


_EXPRESSIONS: dict[type[ast.expr], Callable[[Expressions, Any], None]] = {
    ast.Attribute: Expressions._chain,
    ast.Call: Expressions._chain,
    ast.Subscript: Expressions._chain,
    ast.Name: Expressions._chain,
    ast.Await: Expressions._chain,
    ast.Constant: Expressions._constant,
    ast.BinOp: Expressions._sum,
    ast.Dict: Expressions._dict,
    ast.JoinedStr: Expressions._joined,
    ast.ListComp: Expressions._comprehension,
    ast.SetComp: Expressions._comprehension,
    ast.GeneratorExp: Expressions._comprehension,
    ast.DictComp: Expressions._comprehension,
    ast.Lambda: Expressions._lambda,
    ast.NamedExpr: Expressions._walrus,
}
