"""Texts of a file: what they are put together from, and which of them may be statements of SQL."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from strangler.analysis.facts import Named, Value

_SQL = re.compile(
    r"\b(select\b.+?\bfrom|insert\s+into|update\b.+?\bset|delete\s+from|truncate|alter\s+table|(left|inner)\s+join)\b",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST = 10_000
"""Characters of a text that are looked at for a statement, and that texts are put together to."""
_SHORTEST = 12


def statement_in(text: str) -> str:
    """The text as far as it is looked at, if it may hold a statement; else nothing."""
    text = text[:_LONGEST]
    return printable(text) if len(text) > _SHORTEST and _SQL.search(text) else ""


def literal(node: ast.expr, assigned: Mapping[str, Value]) -> str:
    """The text that an expression gives, with "{}" for what nobody knows; empty where none of it is a text.

    "assigned" is what the names of the module stand for.
    """
    match node:
        case ast.Constant() if isinstance(node.value, str):
            return node.value
        case ast.Name():
            value = assigned.get(node.id)
            return value if isinstance(value, str) and not isinstance(value, Named) else ""
        case ast.JoinedStr():
            return joined(node, assigned)
        case ast.BinOp(op=ast.Add()):
            left, right = literal(node.left, assigned), literal(node.right, assigned)
            return f"{left or '{}'}{right or '{}'}"[:_LONGEST] if left or right else ""
        case ast.BinOp(op=ast.Mod()):
            text = literal(node.left, assigned)
            for given in node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]:
                text = text.replace("%s", literal(given, assigned) or "{}", 1)[:_LONGEST]
            return text
    return ""


def joined(node: ast.JoinedStr, assigned: Mapping[str, Value]) -> str:
    """The text of an f-string, with "{}" for what is put in and is no constant of the module."""
    parts = (part.value if isinstance(part, ast.FormattedValue) else part for part in node.values)
    return "".join(literal(part, assigned) or "{}" for part in parts)[:_LONGEST]


def printable(text: str) -> str:
    """The text without halves of characters, which nothing could write."""
    return text.encode("utf-8", "backslashreplace").decode()
