"""Borders as contracts: what passes today may stay, nothing may be added, and what is gone does not come back."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.analysis.contracts import Contract, check, import_linter, make_contract, shrunk
from strangler.analysis.graph import graph_of
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.owners import Owners, parse
from strangler.analysis.seams import seam
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make

VIEWS = "shop/reviews/views.py"
TODAY = {
    **SHOP,
    VIEWS: """
        from shop.catalog.models import Product

        def show():
            return Product.objects.all()
    """,
}


def mapped(root):
    return make_map(root, Kept(None))


def contract_of(root, owners=Owners()):  # noqa: B008 - it is a value
    found = mapped(root)
    graph = graph_of(found)
    nodes = frozenset(node for node, app in graph.apps.items() if app == "reviews")
    return make_contract(found, seam(graph, "reviews", nodes), owners)


def test_what_passes_today_is_kept_also_when_its_lines_change(tmp_path):
    made = contract_of(make(tmp_path, TODAY))
    assert check(mapped(tmp_path), made) == check(mapped(tmp_path), Contract.from_json(made.to_json()))
    make(tmp_path, {VIEWS: '"""A docstring."""\n\n' + (tmp_path / VIEWS).read_text()})
    kept = check(mapped(tmp_path), made)
    assert (kept.new, kept.gone) == ((), ())


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("shop/reviews/new.py", "import shop.catalog.models", "new.py:1: shop.reviews.new -> shop.catalog.models"),
        ("shop/catalog/new.py", "from shop.reviews.models import Review", "new.py:1: shop.catalog.new"),
        ("shop/catalog/new.py", "SQL = 'DELETE FROM reviews_review WHERE id = 1'", "-> reviews.Review, sql"),
        (
            VIEWS,
            TODAY[VIEWS].replace("return", "Product.objects.count()\n            return"),
            "-> catalog.Product, read",
        ),
    ],
)
def test_anything_new_over_the_border_is_named_with_its_line_and_a_way_out(tmp_path, path, text, expected):
    made = contract_of(make(tmp_path, TODAY))
    make(tmp_path, {path: text})
    kept = check(mapped(tmp_path), made)
    assert len(kept.new) == 1
    assert expected in str(kept)
    assert "new over this border: " in str(kept)
    assert shrunk(made, kept) == made


def test_what_is_gone_has_to_leave_the_baseline_and_is_new_when_it_comes_back(tmp_path):
    made = contract_of(make(tmp_path, TODAY))
    make(tmp_path, {VIEWS: ""})
    kept = check(mapped(tmp_path), made)
    assert (len(kept.new), len(kept.gone)) == (0, 2)
    smaller = shrunk(made, kept)
    assert not check(mapped(tmp_path), smaller).gone
    make(tmp_path, {VIEWS: TODAY[VIEWS]})
    assert len(check(mapped(tmp_path), smaller).new) == 2


def test_import_linter_keeps_the_same_imports(tmp_path):
    made = contract_of(make(tmp_path, TODAY))
    configuration = tmp_path / "pyproject.toml"
    configuration.write_text(import_linter(mapped(tmp_path), made))

    def linted():
        command = [Path(sys.executable).parent / "lint-imports", "--config", configuration, "--no-cache"]
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert linted().returncode == 0, linted().stdout
    make(tmp_path, {"shop/catalog/new.py": "from shop.reviews.models import Review"})
    assert "shop.catalog.new -> shop.reviews.models" in linted().stdout


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("shop/catalog/models.py", "@catalog"),
        ("shop/catalog/api/views.py", "@api"),
        ("docs/a.md", "@writers"),
        ("docs/deep/a.md", "@everybody"),
        ("build/logs/x", "@ops"),
        ("deep/build/logs/x", "@everybody"),
        ("shop/reviews/x.py", ""),
    ],
)
def test_of_the_owners_patterns_that_match_the_last_counts(path, owner):
    lines = ["* @everybody # a comment", "", "[Section]", "/shop/catalog/ @catalog", "shop/**/api/* @api"]
    lines += ["/docs/* @writers", "build/logs/ @ops", "shop/reviews/"]
    assert parse(lines).of(path) == owner


def test_the_command_writes_checks_and_shrinks(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = make(tmp_path / "project", {**TODAY, "CODEOWNERS": "shop/reviews/ @reviews"})
    file, root = str(tmp_path / "contracts" / "reviews.json"), str(project)
    assert main(["contracts", file, root]) == 1
    assert "--write SEAM" in capsys.readouterr().err
    assert main(["contracts", file, root, "--write", "reviews"]) == 0
    assert main(["contracts", file, root, "--write", "reviews"]) == 1
    assert "@reviews" in Path(file).read_text()
    assert main(["contracts", file, root]) == 0
    make(project, {VIEWS: ""})
    capsys.readouterr()
    assert main(["contracts", file, root]) == 1
    assert "is gone" in capsys.readouterr().err
    make(project, {"shop/catalog/new.py": "from shop.reviews.models import Review"})
    assert main(["contracts", file, root, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert [(one["path"], one["line"]) for one in said["new"]] == [("shop/catalog/new.py", 1)]
    assert {one["path"] for one in said["gone"]} == {VIEWS}
    make(project, {"shop/catalog/new.py": ""})
    assert main(["contracts", file, root, "--shrink"]) == 0
    assert main(["contracts", file, root, "--import-linter"]) == 0
    make(project, {VIEWS: "import shop.catalog.models"})
    assert main(["contracts", file, root, "--shrink"]) == 1
    assert "new over this border" in capsys.readouterr().err
