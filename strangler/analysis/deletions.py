"""A patch of models that gives keys over a border an on_delete that can cross it, and changes nothing before. Pure."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

OURS: Mapping[str, str] = {"CASCADE": "cascade", "SET_NULL": "set_null", "SET_DEFAULT": "set_default"}
"""What does as Django's own while the table is here, by the name of Django's own (strangler.deletion)."""
_MODULE = "strangler.deletion"


@dataclass(frozen=True, kw_only=True)
class Key:
    """A key that a line of the project states, with what is to become of its on_delete."""

    path: str
    line: int
    name: str
    on_delete: str


def patch(keys: Sequence[Key], read: Callable[[str], bytes]) -> tuple[str, list[Key]]:
    """(the patch, paths as "read" takes them; the keys that it leaves to a person, as nobody can tell how)."""
    by_path: dict[str, list[Key]] = {}
    for key in keys:
        by_path.setdefault(key.path, []).append(key)
    text: list[str] = []
    left: list[Key] = []
    for path, here in sorted(by_path.items()):
        before = read(path)
        after, missed = changed(before, here)
        left += missed
        text += _difference(path, before.decode(), after.decode()) if after != before else ()
    return "".join(text), left


def changed(source: bytes, keys: Sequence[Key]) -> tuple[bytes, list[Key]]:
    """(the file with the keys' on_delete of strangler.deletion, and its import; the keys that stay as they are)."""
    lines = _lines(source)
    if lines is None:
        return source, [*keys]
    tree = ast.parse(source)
    found = {key: node for key in keys if (node := _argument(tree, key)) is not None}
    for key, node in sorted(found.items(), key=lambda one: (one[1].lineno, one[1].col_offset), reverse=True):
        line = lines[node.lineno - 1]
        name = f"{_MODULE}.{OURS[key.on_delete]}".encode()
        lines[node.lineno - 1] = line[: node.col_offset] + name + line[node.end_col_offset :]
    if found and not _imports(tree):
        at = _behind_imports(tree)
        newline = b"\r\n" if source.count(b"\r\n") else b"\n"
        lines.insert(at, f"import {_MODULE}".encode() + newline)
    return b"".join(lines), [key for key in keys if key not in found]


def _lines(source: bytes) -> list[bytes] | None:
    """The lines as Python counts them; None where columns may not be counted in bytes."""
    try:
        source.decode()
    except UnicodeDecodeError:
        return None
    return None if b"\r" in source.replace(b"\r\n", b"") else source.splitlines(keepends=True)


def _argument(tree: ast.Module, key: Key) -> ast.expr | None:
    """The expression that says what becomes of the row; None unless it is Django's own by its name, in one line."""
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if name == key.name:
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call() as call) if name == key.name:
                pass
            case _:
                continue
        if node.lineno == key.line:
            given = [word.value for word in call.keywords if word.arg == "on_delete"] or call.args[1:2]
            return next((one for one in given if _is_djangos(one, key.on_delete)), None)
    return None


def _is_djangos(node: ast.expr, name: str) -> bool:
    if name not in OURS or node.lineno != node.end_lineno:
        return False
    match node:
        case ast.Name(id=last) | ast.Attribute(attr=last):
            return last == name
    return False


def _imports(tree: ast.Module) -> bool:
    names = (
        alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names if not alias.asname
    )
    return _MODULE in names


def _behind_imports(tree: ast.Module) -> int:
    """The number of lines up to the end of the imports that the file begins with, or of its docstring."""
    at = 0
    for node in tree.body:
        is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and at == 0
        if not is_docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        at = node.end_lineno or node.lineno
    return at


def _difference(path: str, before: str, after: str) -> Iterator[str]:
    for line in difflib.unified_diff(_ended(before), _ended(after), f"a/{path}", f"b/{path}"):
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _ended(text: str) -> list[str]:
    """The lines with their ends, as patches count them; the last one may have none."""
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *([last] if last else [])]
