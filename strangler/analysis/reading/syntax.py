"""What single nodes of a syntax tree say by themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

_SETS = ("QuerySet", "Manager", "list", "List", "Iterable", "Iterator", "Sequence")
SAME = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter"})
"""Functions that give all of what they are given."""


def dotted(node: ast.expr | None) -> str:
    """ "a.b.c" for a name with attributes, else nothing. A text is taken as the name in it."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            before = dotted(node.value)
            return f"{before}.{node.attr}" if before else ""
        case ast.Constant() if isinstance(node.value, str) and re.fullmatch(r"[\w.]+", node.value):
            return node.value
        case _:
            return ""


def result(node: ast.expr | None) -> str:
    """The name of what a function's annotation says it gives; "*Name" for a set of them."""
    match node:
        case ast.BinOp(op=ast.BitOr()):
            return result(node.left)
        case ast.Subscript() if dotted(node.value).rpartition(".")[2] in ("Optional", "Union"):
            return result(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice)
        case ast.Subscript() if dotted(node.value).rpartition(".")[2].endswith(_SETS):
            name = dotted(node.slice)
            return f"*{name}" if name else ""
    return dotted(unwrapped(node))


def unwrapped(node: ast.expr | None) -> ast.expr | None:
    """The X of Optional[X], X | None, Annotated[X, …]; a base of Generic[X] is left as its own name."""
    match node:
        case ast.Subscript() if dotted(node.value).rpartition(".")[2] in ("Optional", "Annotated", "Final"):
            return unwrapped(node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice)
        case ast.Subscript():
            return node.value
        case ast.BinOp(op=ast.BitOr()):
            return unwrapped(node.left)
        case _:
            return node


def bases_of(node: ast.ClassDef) -> Iterator[ast.expr]:
    """The bases of a class, also those that six gives to a metaclass."""
    for base in node.bases:
        if isinstance(base, ast.Call) and dotted(base.func).endswith("with_metaclass"):
            yield from base.args[1:]
        else:
            yield base


def flat(statements: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a class body, also those under a condition."""
    for statement in statements:
        if isinstance(statement, (ast.If, ast.Try)):
            yield from flat([*statement.body, *statement.orelse])
        else:
            yield statement


def assignments(statements: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr, int]]:
    """(name, value, line) of what names are assigned."""
    for statement in statements:
        if isinstance(statement, ast.Assign):
            names = (target.id for target in statement.targets if isinstance(target, ast.Name))
            yield from ((name, statement.value, statement.lineno) for name in names)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            yield statement.target.id, statement.value, statement.lineno


def carried(node: ast.expr | None) -> ast.expr | None:
    """The expression whose value this one has, or may have."""
    match node:
        case ast.Await() | ast.Starred():
            return node.value
        case ast.BoolOp():
            return node.values[-1] if isinstance(node.op, ast.And) else node.values[0]
        case ast.IfExp():
            return node.orelse if isinstance(node.body, ast.Constant) else node.body
    return None


def unlisted(node: ast.expr) -> ast.expr:
    """What list() and the like give all of."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[inner], keywords=[]) if name in SAME:
            return unlisted(inner)
    return node


def leaves(statements: Sequence[ast.stmt]) -> bool:
    """Whether nobody comes to what stands behind these."""
    return isinstance(statements[-1], ast.Return | ast.Raise | ast.Continue | ast.Break)
