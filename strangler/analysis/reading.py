"""From the text of a file to its facts, in one walk over the syntax tree. Pure."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from strangler.analysis.facts import EACH, NOTHING, PARTS, Chain, Class, Facts, Function, Import, Named, Step, Value

_SQL = re.compile(
    r"\b(select\b.+?\bfrom|insert\s+into|update\b.+?\bset|delete\s+from|truncate|alter\s+table|(left|inner)\s+join)\b",
    re.IGNORECASE | re.DOTALL,
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){1,8}")
_HELD = re.compile(r"[\w.-]+:[\w.:-]+|[\w./-]+\.\w{3,6}")
"""A route in a namespace, or a file."""
_SETS = ("QuerySet", "Manager", "list", "List", "Iterable", "Iterator", "Sequence")
_SAME = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter"})
_LONGEST_PATH = 200
_DEEPEST = 40
"""Values within values; what is deeper counts as unknown."""
_LONGEST_SQL = 10_000
"""Characters of a text that are looked at for a statement, and that texts are put together to."""
_LONGEST = 24
"""Links of a chain that is carried on in a variable."""


def read(source: bytes, package: str) -> Facts:
    """The facts of a file whose relative imports start from "package". Raises SyntaxError or ValueError."""
    with warnings.catch_warnings(action="ignore"):  # of its escapes and comparisons its authors are told elsewhere
        tree = ast.parse(source)
    reader = _Reader(package)
    reader.block(tree.body)
    reader.facts.lines = source.count(b"\n")
    return reader.facts


class _Reader:
    """The state of the walk: where it is, and what the local names stand for."""

    def __init__(self, package: str) -> None:
        self.facts = Facts()
        self._package = package
        self._scope: list[str] = []
        self._known: dict[str, list[Step]] = {}
        self._where = "module"
        self._classes: list[Class] = []
        self._functions: list[Function] = []
        self._depth = 0
        self._calls: dict[int, list[Step] | None] = {}
        """Of the statement that is read: what is given to a call is looked at with it, and by itself."""

    # Statements

    def block(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        self._calls.clear()
        see = _STATEMENTS.get(type(node))
        if see is not None:
            see(self, node)
        else:
            for child in ast.iter_child_nodes(node):
                self._any(child)

    def _any(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            self._statement(node)
        elif isinstance(node, ast.expr):
            self._expression(node)
        else:
            for child in ast.iter_child_nodes(node):
                self._any(child)

    def _if(self, node: ast.If) -> None:
        if _dotted(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            with self._in("typing"):
                self.block(node.body)
            self.block(node.orelse)
            return
        narrowed = self._narrow(node.test)
        self._expression(node.test)
        self.block(node.body)
        for name, (before, steps) in narrowed.items():
            if self._known.get(name) is steps:  # else the body gave the name to something else
                self._known[name] = before
        self.block(node.orelse)
        if isinstance(node.test, ast.UnaryOp) and isinstance(node.test.op, ast.Not) and _leaves(node.body):
            self._narrow(node.test.operand)

    def _assert(self, node: ast.Assert) -> None:
        self._expression(node.test)
        self._narrow(node.test)

    def _narrow(self, test: ast.expr) -> dict[str, tuple[list[Step], list[Step]]]:
        """Let locals be what isinstance() says; (what it was, what it is) of each, the former within the latter."""
        found = {}
        for part in test.values if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else [test]:
            match part:
                case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]) if name in self._known:
                    if dotted := _dotted(kind):
                        before = self._known[name]
                        at_first = before[0].args if before[0].name.startswith("@") and before[0].args else (before,)
                        self._known[name] = [Step(name="@" + dotted, args=at_first, local=name)]
                        found[name] = (before, self._known[name])
        return found

    def _assignment(self, node: ast.Assign) -> None:
        self._expression(node.value)
        for target in node.targets:
            self._assign(target, node.value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value)
            self._assign(node.target, node.value)
        elif isinstance(node.target, ast.Name) and (name := _result(node.annotation)):
            self._known[node.target.id] = [Step(name="@" + name)]

    def _augmented(self, node: ast.AugAssign) -> None:
        """A list that is added to, as settings do, also where another module made it; else nothing is known."""
        self._expression(node.value)
        name = node.target.id if isinstance(node.target, ast.Name) and not self._scope else ""
        before = self.facts.assigned.get(name, () if name.isupper() else None)
        if isinstance(before, tuple):
            self.facts.assigned[name] = (*before, *_parts(self._value(node.value)))
        elif not isinstance(node.target, ast.Name):
            self._expression(node.target)
        elif self._scope and (both := self._both(node.target, node.op, node.value)) is not None:
            self._bind(node.target, both)

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        self._expression(node.iter)
        self._bind_anywhere(*self._each(node.target, node.iter))
        self.block(node.body)
        self.block(node.orelse)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            self._expression(item.context_expr)
            if item.optional_vars is not None:
                self._bind_anywhere(item.optional_vars, self._steps(item.context_expr))
        self.block(node.body)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        where = "function" if self._where == "module" and self._scope else self._where
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
        self._known.pop(name, None)
        self.facts.imports.append(Import(name=name, target=target, line=line, where=where))

    def _class(self, node: ast.ClassDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator)
        for base in node.bases:
            self._expression(base)
        attributes: dict[str, Value] = {}
        lines: dict[str, int] = {}
        meta: dict[str, Value] = {}
        bases = [name for base in _bases(node) if (name := _dotted(_unwrapped(base)))]
        decorators = [Chain(scope="", line=d.lineno, steps=s) for d in node.decorator_list if (s := self._steps(d))]
        outer, self._known = self._known, dict(self._known)
        self._scope.append(node.name)
        for statement in _flat(node.body):
            if isinstance(statement, ast.ClassDef) and statement.name == "Meta":
                for name, value, line in _assignments(statement.body):
                    meta[name] = self._value(value)
                    lines[f"@{name}"] = line
                meta["@bases"] = tuple(Named(name) for base in statement.bases if (name := _dotted(base)))
            for name, value, line in _assignments([statement]):
                attributes[name] = self._value(value)
                lines[name] = line
        found = Class(
            name=".".join(self._scope),
            line=node.lineno,
            bases=bases,
            decorators=decorators,
            attributes=attributes,
            lines=lines,
            meta=meta,
        )
        self.facts.classes.append(found)
        self._classes.append(found)
        self.block(node.body)
        self._classes.pop()
        self._scope.pop()
        self._known = outer

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self._expression(default)
        decorators = []
        for decorator in node.decorator_list:
            self._expression(decorator)
            if steps := self._steps(decorator):
                decorators.append(Chain(scope="", line=decorator.lineno, steps=steps))
        outer, self._known = self._known, dict(self._known)
        parameters: dict[str, str] = {}
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            parameters[argument.arg] = _dotted(_unwrapped(argument.annotation)) or ""
            known = "@" + _result(argument.annotation) if parameters[argument.arg] else "?" + argument.arg
            self._known[argument.arg] = [Step(name=known)]
        self._scope.append(node.name)
        if len(self._scope) > 1 and "self" in parameters:
            self._known["self"] = [Step(name="self")]
        if len(self._scope) > 1 and "cls" in parameters:
            self._known["cls"] = [Step(name="cls")]
        found = Function(
            name=".".join(self._scope),
            line=node.lineno,
            decorators=decorators,
            parameters=parameters,
            result=_result(node.returns),
        )
        self.facts.functions.append(found)
        self._functions.append(found)
        self.block(node.body)
        self._functions.pop()
        self._scope.pop()
        self._known = outer

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._expression(node.value)
            if self._functions and (steps := self._returned(node.value)):
                self._functions[-1].returned.append(steps)

    def _returned(self, node: ast.expr) -> list[Step] | None:
        """The chain that is given back; of a tuple one link with all of its parts."""
        if isinstance(node, ast.Tuple):
            return [Step(name=PARTS, args=tuple(self._value(part) for part in node.elts))]
        return self._steps(node)

    @contextmanager
    def _in(self, where: str) -> Iterator[None]:
        before, self._where = self._where, where
        yield
        self._where = before

    # What names stand for

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        self._bind(target, self._steps(_unlisted(value)))
        if not self._scope and isinstance(target, ast.Name):
            self.facts.assigned[target.id] = self._value(value)
        elif isinstance(value, ast.Constant) and isinstance(value.value, str) and _HELD.fullmatch(value.value):
            self.facts.held.append((value.lineno, ".".join(self._scope), value.value))
        if isinstance(target, ast.Attribute | ast.Subscript):
            self._chain(target, stored=True)
        if isinstance(target, ast.Subscript):
            self._setting_of_requests(target.slice, value)
        if isinstance(target, ast.Attribute) and _dotted(target.value) == "self":
            self._own(target, self._steps(value))

    def _own(self, target: ast.Attribute, steps: list[Step] | None) -> None:
        if steps is not None and self._classes:
            chain = Chain(scope=".".join(self._scope), line=target.lineno, steps=steps)
            self._classes[-1].own.setdefault(target.attr, chain)

    def _bind(self, target: ast.expr, steps: list[Step] | None) -> None:
        if isinstance(target, ast.Name):
            if not self._scope:
                self._known.pop(target.id, None)  # a module's names are looked up by whoever reads its facts
            elif steps is None or len(steps) > _LONGEST:
                self._known[target.id] = [Step(name="?" + target.id)]
            else:
                self._known[target.id] = [*steps[:-1], replace(steps[-1], local=target.id)]
        elif isinstance(target, ast.Tuple | ast.List):
            for number, part in enumerate(target.elts):
                # get_or_create() and the like give their object first.
                name = "[]" if number == 0 else f"{PARTS}{number}"
                self._bind(part, [*steps, Step(name=name)] if steps else None)
        elif isinstance(target, ast.Starred):
            self._bind(target.value, None)

    def _each(self, target: ast.expr, iterated: ast.expr) -> tuple[ast.expr, list[Step] | None]:
        """(what a loop gives a name to, what that stands for); sorted() and the like give what they are given."""
        while isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name) and iterated.args:
            if iterated.func.id == "enumerate" and isinstance(target, ast.Tuple) and len(target.elts) == 2:
                self._bind(target.elts[0], None)
                target = target.elts[1]
            elif iterated.func.id not in _SAME:
                break
            iterated = iterated.args[0]
        steps = self._steps(iterated)
        return target, [*steps, Step(name=EACH)] if steps else None

    # Expressions

    def _expression(self, node: ast.expr) -> None:
        see = _EXPRESSIONS.get(type(node))
        if see is not None:
            see(self, node)
        else:
            for child in ast.iter_child_nodes(node):
                self._any(child)

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._sql(node.value, node.lineno)
            if "." in node.value and _DOTTED.fullmatch(node.value):
                self.facts.dotted.append((node.lineno, ".".join(self._scope), node.value))
            self._path(node.value)

    def _sum(self, node: ast.BinOp) -> None:
        """A statement may be put together from pieces that are all known."""
        if text := self._literal(node):
            self._sql(text, node.lineno)
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            self._expression(left.right)
            left = left.left
        self._expression(left)

    def _literal(self, node: ast.expr) -> str:
        """The text that an expression gives, with "{}" for what nobody knows; empty where none of it is a text."""
        match node:
            case ast.Constant() if isinstance(node.value, str):
                return node.value
            case ast.Name():
                value = self.facts.assigned.get(node.id)
                return value if isinstance(value, str) and not isinstance(value, Named) else ""
            case ast.JoinedStr():
                return self._text(node)
            case ast.BinOp(op=ast.Add()):
                left, right = self._literal(node.left), self._literal(node.right)
                return f"{left or '{}'}{right or '{}'}"[:_LONGEST_SQL] if left or right else ""
            case ast.BinOp(op=ast.Mod()):
                text = self._literal(node.left)
                for given in node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]:
                    text = text.replace("%s", self._literal(given) or "{}", 1)[:_LONGEST_SQL]
                return text
        return ""

    def _text(self, node: ast.JoinedStr) -> str:
        """The text of an f-string, with "{}" for what is put in and is no constant of the module."""
        parts = (part.value if isinstance(part, ast.FormattedValue) else part for part in node.values)
        return "".join(self._literal(part) or "{}" for part in parts)[:_LONGEST_SQL]

    def _dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            self._setting_of_requests(key, value)
            if key is not None:
                self._expression(key)
            self._expression(value)

    def _setting_of_requests(self, key: ast.expr | None, value: ast.expr) -> None:
        """Whether requests are transactions, as a database's settings say."""
        if isinstance(key, ast.Constant) and key.value == "ATOMIC_REQUESTS":
            self.facts.atomic_requests = not (isinstance(value, ast.Constant) and not value.value)

    def _joined(self, node: ast.JoinedStr) -> None:
        text = self._text(node)
        self._sql(text, node.lineno)
        self._path(text)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self._expression(part.value)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer, self._known = self._known, dict(self._known)
        for generator in node.generators:
            self._expression(generator.iter)
            self._bind_anywhere(*self._each(generator.target, generator.iter))
            for condition in generator.ifs:
                self._expression(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self._expression(part)
        self._known = outer

    def _lambda(self, node: ast.Lambda) -> None:
        outer, self._known = self._known, dict(self._known)
        for argument in node.args.args:
            self._known[argument.arg] = [Step(name="?" + argument.arg)]
        self._expression(node.body)
        self._known = outer

    def _walrus(self, node: ast.NamedExpr) -> None:
        self._expression(node.value)
        self._bind(node.target, self._steps(node.value))

    def _bind_anywhere(self, target: ast.expr, steps: list[Step] | None) -> None:
        """Names of a loop or comprehension: nobody looks them up from elsewhere, also at module level."""
        self._scope.append("")
        self._bind(target, steps)
        self._scope.pop()

    def _chain(self, node: ast.expr, *, stored: bool = False) -> None:
        """Note the whole chain, then what stands in its brackets."""
        if isinstance(node, ast.Name):  # what a local stands for was noted where it was made
            if node.id not in self._known:
                self.facts.names.add((".".join(self._scope), node.id))
            return
        steps = self._steps(node)
        if steps is not None:
            self.facts.chains.append(Chain(scope=".".join(self._scope), line=node.lineno, steps=steps, stored=stored))
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Call):
                for inner in (*node.args, *(keyword.value for keyword in node.keywords)):
                    self._expression(inner)
                node = node.func
            elif isinstance(node, ast.Subscript):
                self._expression(node.slice)
                node = node.value
            elif isinstance(node, ast.Attribute | ast.Await | ast.Starred):
                node = node.value
            else:
                self._expression(node)
                return

    def _steps(self, node: ast.expr | None) -> list[Step] | None:
        """The chain that an expression is; None for anything else."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id) or [Step(name=node.id)]
        if isinstance(node, ast.Attribute):
            steps = self._steps(node.value)
            return steps and [*steps, Step(name=node.attr, line=node.end_lineno or 0)]
        if isinstance(node, ast.Call):
            if id(node) not in self._calls:
                steps = self._steps(node.func)
                self._calls[id(node)] = steps and self._called(node, steps)
            return self._calls[id(node)]
        if isinstance(node, ast.Subscript):
            steps = self._steps(node.value)
            index = self._value(node.slice)
            name = f"[{index}]" if _is_text(index) else "[:]" if isinstance(node.slice, ast.Slice) else "[]"
            return steps and [*steps, Step(name=name, args=(index,) if isinstance(index, Named) else ())]
        if isinstance(node, ast.BinOp):
            return self._both(node.left, node.op, node.right)
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert) else _carried(node)
        return self._steps(inner) if inner is not None else None

    def _both(self, left: ast.expr, how: ast.operator, right: ast.expr) -> list[Step] | None:
        """What | and & make of conditions, one with the paths of all, or of two sets."""
        if not isinstance(how, ast.BitOr | ast.BitAnd):
            return None
        parts = [right]
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.BitOr | ast.BitAnd):
            parts.append(left.right)
            left = left.left
        found = [self._steps(part) for part in (left, *reversed(parts))]
        if not any(_is_condition(steps) for steps in found):
            return found[0]
        inner = [one for steps in found for one in (_gathered(steps) or [steps])]
        return [Step(name="Q", line=left.lineno, called=True, args=tuple(inner[:_LONGEST]))]

    def _called(self, node: ast.Call, steps: list[Step]) -> list[Step]:
        """The chain with its last link called."""
        if steps[-1].called or (isinstance(node.func, ast.Name) and node.func.id in self._known):
            steps = [*steps, Step(name="()")]
        last = steps[-1]
        called = Step(
            name=last.name,
            line=last.line or node.lineno,
            called=True,
            args=tuple(self._value(argument) for argument in node.args),
            keywords={key.arg or "**": self._value(key.value) for key in node.keywords} if node.keywords else NOTHING,
        )
        return [*steps[:-1], called]

    def _value(self, node: ast.expr) -> Value:
        see = _VALUES.get(type(node)) if self._depth < _DEEPEST else None
        self._depth += 1
        found = see(self, node) if see is not None else None
        self._depth -= 1
        return found

    def _value_of_constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            return _printable(node.value)
        return node.value if isinstance(node.value, int | float) else None

    def _value_of_list(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        return tuple(self._value(part) for part in node.elts)

    def _value_of_sum(self, node: ast.BinOp) -> Value:
        left, right = self._value(node.left), self._value(node.right)
        if isinstance(left, str) and isinstance(right, str) and not isinstance(left, Named):
            return left + right
        return (*_parts(left), *_parts(right))

    def _value_of_not(self, node: ast.UnaryOp) -> Value:
        return self._value(node.operand)

    def _value_of_joined(self, node: ast.JoinedStr) -> Value:
        return self._text(node)

    def _value_of_dict(self, node: ast.Dict) -> Value:
        pairs = zip(node.keys, node.values, strict=True)
        return {str(self._value(key)): self._value(value) for key, value in pairs if key is not None}

    def _value_of_part(self, node: ast.Subscript) -> Value:
        steps = self._steps(node)
        return steps if steps and any(step.called for step in steps) else None

    def _value_of_name(self, node: ast.Name | ast.Attribute) -> Value:
        steps = self._steps(node)
        if steps is None or any(step.called for step in steps):
            return steps
        return Named(".".join(step.name for step in steps))

    def _path(self, text: str) -> None:
        if text.startswith("/") and len(text) <= _LONGEST_PATH:
            self.facts.paths.add((".".join(self._scope), text))

    def _sql(self, text: str, line: int) -> None:
        text = text[:_LONGEST_SQL]
        if len(text) > 12 and _SQL.search(text):
            self.facts.sql.append((line, ".".join(self._scope), _printable(text)))


_STATEMENTS: dict[type[ast.stmt], Callable[[_Reader, Any], None]] = {
    ast.Import: _Reader._import,
    ast.ImportFrom: _Reader._import,
    ast.ClassDef: _Reader._class,
    ast.FunctionDef: _Reader._function,
    ast.AsyncFunctionDef: _Reader._function,
    ast.If: _Reader._if,
    ast.Assert: _Reader._assert,
    ast.Assign: _Reader._assignment,
    ast.AnnAssign: _Reader._annotated,
    ast.AugAssign: _Reader._augmented,
    ast.For: _Reader._for,
    ast.AsyncFor: _Reader._for,
    ast.Return: _Reader._return,
    ast.With: _Reader._with,
    ast.AsyncWith: _Reader._with,
}
_EXPRESSIONS: dict[type[ast.expr], Callable[[_Reader, Any], None]] = {
    ast.Attribute: _Reader._chain,
    ast.Call: _Reader._chain,
    ast.Subscript: _Reader._chain,
    ast.Name: _Reader._chain,
    ast.Await: _Reader._chain,
    ast.Constant: _Reader._constant,
    ast.BinOp: _Reader._sum,
    ast.Dict: _Reader._dict,
    ast.JoinedStr: _Reader._joined,
    ast.ListComp: _Reader._comprehension,
    ast.SetComp: _Reader._comprehension,
    ast.GeneratorExp: _Reader._comprehension,
    ast.DictComp: _Reader._comprehension,
    ast.Lambda: _Reader._lambda,
    ast.NamedExpr: _Reader._walrus,
}
_VALUES: dict[type[ast.expr], Callable[[_Reader, Any], Value]] = {
    ast.Constant: _Reader._value_of_constant,
    ast.List: _Reader._value_of_list,
    ast.Tuple: _Reader._value_of_list,
    ast.Set: _Reader._value_of_list,
    ast.BinOp: _Reader._value_of_sum,
    ast.UnaryOp: _Reader._value_of_not,
    ast.JoinedStr: _Reader._value_of_joined,
    ast.Dict: _Reader._value_of_dict,
    ast.Call: _Reader._steps,
    ast.Subscript: _Reader._value_of_part,
    ast.Name: _Reader._value_of_name,
    ast.Attribute: _Reader._value_of_name,
    ast.Subscript: _Reader._steps,
}


def _printable(text: str) -> str:
    """The text without halves of characters, which nothing could write."""
    return text.encode("utf-8", "backslashreplace").decode()


def _is_text(value: Value) -> bool:
    return isinstance(value, str) and not isinstance(value, Named)


def _carried(node: ast.expr | None) -> ast.expr | None:
    """The expression whose value this one has, or may have."""
    match node:
        case ast.Await() | ast.Starred():
            return node.value
        case ast.BoolOp():
            return node.values[-1] if isinstance(node.op, ast.And) else node.values[0]
        case ast.IfExp():
            return node.orelse if isinstance(node.body, ast.Constant) else node.body
    return None


def _is_condition(steps: list[Step] | None) -> bool:
    return steps is not None and len(steps) == 1 and steps[0].called and steps[0].name == "Q"


def _gathered(steps: list[Step] | None) -> list[Value]:
    """The conditions in one that was put together from others, so that many lines of "|=" do not nest."""
    args = steps[0].args if steps and _is_condition(steps) and not steps[0].keywords else ()
    return list(args) if all(isinstance(one, list) for one in args) else []


def _unlisted(node: ast.expr) -> ast.expr:
    """What list() and the like give all of."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in _SAME:
            return _unlisted(inner)
    return node


def _leaves(statements: Sequence[ast.stmt]) -> bool:
    return isinstance(statements[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)


def _parts(value: Value) -> Iterable[Value]:
    return value if isinstance(value, tuple) else (value,)


def _bases(node: ast.ClassDef) -> Iterator[ast.expr]:
    for base in node.bases:
        if isinstance(base, ast.Call) and _dotted(base.func).endswith("with_metaclass"):
            yield from base.args[1:]
        else:
            yield base


def _flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a class body, also those under a condition."""
    for statement in statements:
        if isinstance(statement, (ast.If, ast.Try)):
            yield from _flat([*statement.body, *statement.orelse])
        else:
            yield statement


def _assignments(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr, int]]:
    for statement in statements:
        if isinstance(statement, ast.Assign):
            names = (target.id for target in statement.targets if isinstance(target, ast.Name))
            yield from ((name, statement.value, statement.lineno) for name in names)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value, statement.lineno


def _dotted(node: ast.expr | None) -> str:
    """ "a.b.c" for a name with attributes, else nothing. A text is taken as the name in it."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            before = _dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        case ast.Constant() if isinstance(node.value, str) and re.fullmatch(r"[\w.]+", node.value):
            return node.value
        case _:
            return ""


def _result(node: ast.expr | None) -> str:
    """The name of what a function's annotation says it gives; "*Name" for a set of them."""
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return _result(node.left)
        case ast.Subscript() if _dotted(node.value).rpartition(".")[2] in ("Optional", "Union"):
            return _result(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice)
        case ast.Subscript() if _dotted(node.value).rpartition(".")[2].endswith(_SETS):
            name = _dotted(node.slice)
            return f"*{name}" if name else ""
    return _dotted(_unwrapped(node))


def _unwrapped(node: ast.expr | None) -> ast.expr | None:
    """The X of Optional[X], X | None, Annotated[X, …]; a base of Generic[X] is left as its own name."""
    match node:
        case ast.Subscript() if _dotted(node.value).rpartition(".")[2] in ("Optional", "Annotated", "Final"):
            return _unwrapped(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice)
        case ast.Subscript():
            return node.value
        case ast.BinOp(op=ast.BitOr()):
            return _unwrapped(node.left)
        case _:
            return node
