"""The walk over the statements of a file: notes imports, classes and functions, and what names are assigned."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from strangler.analysis.facts import Chain, Class, Facts, Function, Import, Named, Step
from strangler.analysis.reading.expressions import Expressions
from strangler.analysis.reading.names import Names
from strangler.analysis.reading.syntax import assignments, bases_of, dotted, flat, leaves, result, unlisted, unwrapped
from strangler.analysis.reading.values import Values, parts_of

_KWARGS = "_kwargs"
"""How functions end that give what another one is called with."""
_HELD = re.compile(r"[\w.-]+:[\w.:-]+|[\w./-]+\.\w{3,6}")
"""A route in a namespace, or a file."""


def read(source: bytes, package: str) -> Facts:
    """The facts of a file whose relative imports start from "package". Raises SyntaxError or ValueError."""
    with warnings.catch_warnings(action="ignore"):  # of its escapes and comparisons its authors are told elsewhere
        tree = ast.parse(source)
    statements = _Statements(package)
    statements.see(tree.body)
    statements.facts.lines = source.count(b"\n")
    return statements.facts


class _Statements:
    """Sees each statement once, with the names as they are there."""

    def __init__(self, package: str) -> None:
        self.facts = Facts()
        self._package = package
        self._names = Names()
        self._values = Values(self._names, self.facts.assigned)
        self._expressions = Expressions(self.facts, self._names, self._values)
        self._typing = False
        """Whether this is for annotations alone."""
        self._classes: list[Class] = []
        self._functions: list[Function] = []

    def see(self, statements: Sequence[ast.stmt]) -> None:
        """Note what statements say, one after the other."""
        for statement in statements:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        self._values.next_statement()
        see = _STATEMENTS.get(type(node))
        if see is not None:
            see(self, node)
        else:
            self._within(node)

    def _within(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child)
            elif isinstance(child, ast.expr):
                self._expressions.see(child)
            else:
                self._within(child)

    def _if(self, node: ast.If) -> None:
        if dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            before, self._typing = self._typing, True
            self.see(node.body)
            self._typing = before
            self.see(node.orelse)
            return
        narrowed = self._names.narrow(node.test)
        self._expressions.see(node.test)
        self.see(node.body)
        self._names.widen(narrowed)
        self.see(node.orelse)
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not) and leaves(node.body):
            self._names.narrow(node.test.operand)

    def _assert(self, node: ast.Assert) -> None:
        self._expressions.see(node.test)
        self._names.narrow(node.test)

    def _assignment(self, node: ast.Assign) -> None:
        self._expressions.see(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._expressions.see(node.value)
            self._assign(node.target, node.value)
        elif isinstance(node.target, ast.Name) and (name := result(node.annotation)):
            self._names.known[node.target.id] = [Step(name="@" + name)]

    def _augmented(self, node: ast.AugAssign) -> None:
        """A list that is added to, as settings do, also where another module made it; else nothing is known."""
        self._expressions.see(node.value)
        name = node.target.id if isinstance(node.target, ast.Name) and not self._names.scope else ""
        before = self.facts.assigned.get(name, () if name.isupper() else None)
        if isinstance(before, tuple):
            self.facts.assigned[name] = (*before, *parts_of(self._values.value(node.value)))
        elif not isinstance(node.target, ast.Name):
            self._expressions.see(node.target)
        elif self._names.scope and (both := self._values.both(node.target, node.op, node.value)) is not None:
            self._names.bind(node.target, both)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expressions.see(node.iter)
        self._expressions.bind_each(node.target, node.iter)
        self.see(node.body)
        self.see(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._expressions.see(item.context_expr)
            if item.optional_vars is not None:
                self._names.bind_anywhere(item.optional_vars, self._values.steps(item.context_expr))
        self.see(node.body)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        where = "typing" if self._typing else "function" if self._names.scope else "module"
        if isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name if alias.asname else alias.name.partition(".")[0]
                self._imported(alias.asname or target, target, node.lineno, where)
                if target != alias.name:  # "import a.b" gives the name "a", and loads "a.b"
                    self.facts.imports[-1].where = "name"
                    self._imported("", alias.name, node.lineno, where)
            return
        base = node.module or ""
        if node.level:
            parts = self._package.split(".")
            kept = parts[: max(0, len(parts) - (node.level - 1))]
            base = ".".join([*kept, *([node.module] if node.module else [])])
        for alias in node.names:
            target = base if alias.name == "*" else f"{base}.{alias.name}"
            self._imported("*" if alias.name == "*" else alias.asname or alias.name, target, node.lineno, where)

    def _imported(self, name: str, target: str, line: int, where: str) -> None:
        self._names.known.pop(name, None)
        self.facts.imports.append(Import(name=name, target=target, line=line, where=where))

    def _class(self, node: ast.ClassDef) -> None:
        for expression in (*node.decorator_list, *node.bases):
            self._expressions.see(expression)
        decorators = self._decorators(node.decorator_list)
        bases = [name for base in bases_of(node) if (name := dotted(unwrapped(base)))]
        with self._names.for_a_while(), self._names.within(node.name):
            found = Class(
                name=self._names.path,
                line=node.lineno,
                bases=bases,
                decorators=decorators,
                attributes={},
                lines={},
                meta={},
            )
            self._fill(found, node)
            self.facts.classes.append(found)
            self._classes.append(found)
            self.see(node.body)
            self._classes.pop()

    def _fill(self, found: Class, node: ast.ClassDef) -> None:
        """What is assigned in the class and in its Meta."""
        for statement in flat(node.body):
            if isinstance(statement, ast.ClassDef) and statement.name == "Meta":
                for name, value, line in assignments(statement.body):
                    found.meta[name] = self._values.value(value)
                    found.lines[f"@{name}"] = line
                found.meta["@bases"] = tuple(Named(name) for base in statement.bases if (name := dotted(base)))
            for name, value, line in assignments([statement]):
                found.attributes[name] = self._values.value(value)
                found.lines[name] = line

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        for expression in (*arguments.defaults, *arguments.kw_defaults, *node.decorator_list):
            if expression is not None:
                self._expressions.see(expression)
        decorators = self._decorators(node.decorator_list)
        with self._names.for_a_while():
            parameters: dict[str, str] = {}
            for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                parameters[argument.arg] = dotted(unwrapped(argument.annotation)) or ""
                known = "@" + result(argument.annotation) if parameters[argument.arg] else "?" + argument.arg
                self._names.known[argument.arg] = [Step(name=known)]
            with self._names.within(node.name):
                for own in ("self", "cls"):
                    if len(self._names.scope) > 1 and own in parameters:
                        self._names.known[own] = [Step(name=own)]
                found = Function(
                    name=self._names.path,
                    line=node.lineno,
                    decorators=decorators,
                    parameters=parameters,
                    result=result(node.returns),
                )
                self.facts.functions.append(found)
                self._functions.append(found)
                self.see(node.body)
                self._functions.pop()

    def _decorators(self, nodes: Sequence[ast.expr]) -> list[Chain]:
        return [Chain(scope="", line=n.lineno, steps=steps) for n in nodes if (steps := self._values.steps(n))]

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._expressions.see(node.value)
            if self._functions and (steps := self._values.returned(node.value)):
                self._functions[-1].returned.append(steps)
            for part in (node.value, node.value.right) if isinstance(node.value, ast.BinOp) else (node.value,):
                for key, value in zip(part.keys, part.values, strict=True) if isinstance(part, ast.Dict) else ():
                    self._keyed(key, value)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        self._names.bind(target, self._values.steps(unlisted(value)))
        if not self._names.scope and isinstance(target, ast.Name):
            self.facts.assigned[target.id] = self._values.value(value)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str) and _HELD.fullmatch(value.value):
            self.facts.held.append((value.lineno, self._names.path, value.value))
        if isinstance(target, ast.Attribute | ast.Subscript):
            self._expressions.see_stored(target)
        if isinstance(target, ast.Subscript):
            self._expressions.setting_of_requests(target.slice, value)
            self._keyed(target.slice, value)
        if isinstance(target, ast.Attribute):
            self._put(target, dotted(target.value), value)

    def _put(self, target: ast.Attribute, on: str, value: ast.expr) -> None:
        """What objects hold: those of the class around, and requests."""
        is_own, is_requests = on == "self" and bool(self._classes), on.rpartition(".")[2] == "request"
        steps = self._values.steps(value) if is_own or is_requests else None
        if steps is not None:
            chain = Chain(scope=self._names.path, line=target.lineno, steps=steps)
            if is_own:
                self._classes[-1].own.setdefault(target.attr, chain)
            else:
                self.facts.requests.setdefault(target.attr, []).append(chain)

    def _keyed(self, key: ast.expr | None, value: ast.expr) -> None:
        """What is handed over by keyword to whatever is called with the dictionary."""
        match key:
            case ast.Constant(value=str(name)) if self._functions and self._functions[-1].name.endswith(_KWARGS):
                if (steps := self._values.steps(value)) is not None:
                    chain = Chain(scope=self._names.path, line=value.lineno, steps=steps)
                    self.facts.keywords.setdefault(name, []).append(chain)


_STATEMENTS: dict[type[ast.stmt], Callable[[_Statements, Any], None]] = {
    ast.Import: _Statements._import,
    ast.ImportFrom: _Statements._import,
    ast.ClassDef: _Statements._class,
    ast.FunctionDef: _Statements._function,
    ast.AsyncFunctionDef: _Statements._function,
    ast.If: _Statements._if,
    ast.Assert: _Statements._assert,
    ast.Assign: _Statements._assignment,
    ast.AnnAssign: _Statements._annotated,
    ast.AugAssign: _Statements._augmented,
    ast.For: _Statements._for,
    ast.AsyncFor: _Statements._for,
    ast.Return: _Statements._return,
    ast.With: _Statements._with,
    ast.AsyncWith: _Statements._with,
}
