"""The service stands apart: nothing of the shop, of the toolkit or of another service is needed to run it."""

import ast
from pathlib import Path

import notifications_service

ELSEWHERE = {"monolith", "strangler", "strangler_proxy", "reviews_service"}


def imported(path):
    """The packages that a file imports, by their first names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]


def test_the_service_imports_nothing_of_the_others(tmp_path):
    files = list(Path(notifications_service.__file__).parent.rglob("*.py"))
    assert len(files) > 30
    assert {name for path in files for name in imported(path)} & ELSEWHERE == set()
    stray = tmp_path / "stray.py"
    stray.write_text("def late():\n    from monolith.orders import models")
    assert set(imported(stray)) == {"monolith"}
