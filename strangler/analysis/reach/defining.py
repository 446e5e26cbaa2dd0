"""What a file defines, and which of it two versions of the file have differently. Pure."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
REST = ""
"""The name of what a module does at its top level without giving it a name."""


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A function, a method, a class without its methods, an assigned name, or an import; by its name in the module."""

    name: str
    lines: tuple[tuple[int, int], ...]
    """(first, last) of each piece."""
    text: str
    """What it says, without comments and docstrings: the same for two versions that do the same."""
    names: frozenset[str]
    """The names that it mentions."""
    imported: bool


def definitions(source: bytes) -> Mapping[str, Definition]:
    """Those of a file, by name; a function's own functions are part of it. Raises SyntaxError or ValueError."""
    pieces: dict[str, list[tuple[int, int, ast.AST]]] = {}
    for name, first, last, node in _of_block(ast.parse(source).body, ""):
        pieces.setdefault(name, []).append((first, last, node))
    return {
        name: Definition(
            name=name,
            lines=tuple((first, last) for first, last, _ in found),
            text="\n".join(ast.dump(node, annotate_fields=False) for _, _, node in found),
            names=frozenset(each.id for _, _, node in found for each in ast.walk(node) if isinstance(each, ast.Name)),
            imported=all(isinstance(node, ast.Import | ast.ImportFrom) for _, _, node in found),
        )
        for name, found in pieces.items()
    }


def differing(before: Mapping[str, Definition], after: Mapping[str, Definition]) -> Iterator[tuple[str, str]]:
    """(name, "changed", "added" or "removed") of each definition that the versions do not share."""
    for name in sorted({*before, *after}):
        if name not in before:
            yield name, "added"
        elif name not in after:
            yield name, "removed"
        elif before[name].text != after[name].text:
            yield name, "changed"


def at_lines(found: Mapping[str, Definition], lines: Collection[int]) -> list[str]:
    """The names of the innermost definitions that these lines are in."""
    held = {
        name: [line for line in lines if any(first <= line <= last for first, last in one.lines)]
        for name, one in found.items()
    }
    return sorted(
        name
        for name, here in held.items()
        # A class's lines are also its methods': it counts where no method has the line.
        if any(not any(line in held[other] for other in held if other.startswith(f"{name}.")) for line in here)
    )


def _of_block(statements: Sequence[ast.stmt], within: str) -> Iterator[tuple[str, int, int, ast.AST]]:
    for number, node in enumerate(statements):
        first, last = _first(node), node.end_lineno or node.lineno
        if number == 0 and _is_docstring(node):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield within + node.name, first, last, _bare(node)
        elif isinstance(node, ast.ClassDef):
            yield within + node.name, first, last, _bare(node)
            yield from _of_block(node.body, f"{within}{node.name}.")
        elif within:
            continue  # what a class says outside of its methods is the class itself
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _nested(node)
        else:
            for name in _names(node):
                yield name, first, last, _alone(node, name)


def _nested(node: ast.If | ast.Try | ast.With) -> Iterator[tuple[str, int, int, ast.AST]]:
    """Definitions under a condition; the condition itself belongs to nobody."""
    blocks = [node.body]
    if isinstance(node, ast.If):
        yield REST, node.lineno, node.test.end_lineno or node.lineno, node.test
    if isinstance(node, ast.If | ast.Try):
        blocks.append(node.orelse)
    if isinstance(node, ast.Try):
        blocks += [*(handler.body for handler in node.handlers), node.finalbody]
    for block in blocks:
        yield from _of_block(block, "")


def _names(node: ast.stmt) -> Iterable[str]:
    """The names that a statement gives, or REST."""
    match node:
        case ast.Assign():
            return [name for target in node.targets for name in _assigned(target)]
        case ast.AnnAssign() | ast.AugAssign():
            return _assigned(node.target)
        case ast.Import():
            return [alias.asname or alias.name.partition(".")[0] for alias in node.names]
        case ast.ImportFrom():
            return [alias.asname or alias.name for alias in node.names]  # "*" as well
        case ast.Pass():
            return []
    return [REST]


def _alone(node: ast.stmt, name: str) -> ast.stmt:
    """An import with one of its names alone: what stands beside it does not matter."""
    if isinstance(node, ast.ImportFrom):
        kept = [alias for alias in node.names if (alias.asname or alias.name) == name]
        return ast.ImportFrom(module=node.module, names=kept, level=node.level)
    if isinstance(node, ast.Import):
        kept = [alias for alias in node.names if (alias.asname or alias.name.partition(".")[0]) == name]
        return ast.Import(names=kept)
    return node


def _assigned(target: ast.expr) -> list[str]:
    match target:
        case ast.Name():
            return [target.id]
        case ast.Tuple() | ast.List():
            return [name for part in target.elts for name in _assigned(part)]
        case ast.Attribute() | ast.Subscript() | ast.Starred():
            return _assigned(target.value)
    return [REST]


def _bare(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.stmt:
    """Without its docstring; a class also without its methods and classes."""
    body = node.body[1:] if _is_docstring(node.body[0]) else node.body
    if isinstance(node, ast.ClassDef):
        body = [statement for statement in body if not isinstance(statement, _DEFINITIONS)]
    copy = type(node)(**dict(ast.iter_fields(node)))
    copy.body = body
    return copy


def _first(node: ast.stmt) -> int:
    decorators = node.decorator_list if isinstance(node, _DEFINITIONS) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
