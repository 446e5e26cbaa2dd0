"""Whole maps: of odd folders, of what cannot be read, from what was found before, and of Orchard."""

import os
import re
from pathlib import Path

import pytest

from strangler.analysis.coupling import Kind
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.tree import NoProject
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make, mapped

ROOT = Path(__file__).parents[4]


def test_a_folder_that_holds_nothing_is_no_project(tmp_path):
    with pytest.raises(NoProject, match="holds no Python files"):
        make_map(tmp_path, Kept(None))
    with pytest.raises(NoProject, match="is no folder"):
        make_map(tmp_path / "nowhere", Kept(None))


def test_a_file_that_cannot_be_read_makes_the_map_partial_and_is_named(tmp_path):
    make(tmp_path, SHOP)
    (tmp_path / "shop/catalog/old.py").write_text("print 'two'")
    (tmp_path / "shop/catalog/bytes.py").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "shop/catalog/huge.py").write_bytes(b"x = 1\n" * 1_000_000)
    (tmp_path / "shop/loop").symlink_to(tmp_path / "shop", target_is_directory=True)
    (tmp_path / "shop/gone.py").symlink_to(tmp_path / "nowhere.py")
    made = make_map(tmp_path, Kept(None))
    assert len(made.unread) == 3
    assert "shop/catalog/huge.py has 5 MB" in made.unread[0]
    assert all(name in " ".join(made.unread) for name in ("shop/catalog/old.py", "shop/catalog/bytes.py"))
    assert {coupling.target for coupling in made.couplings} == {"catalog.Product", "people.User"}


@pytest.mark.parametrize("prefix", ["", "src/", "apps/"])
def test_a_project_is_understood_wherever_its_packages_lie(tmp_path, prefix):
    made = mapped(tmp_path, {prefix + path: text for path, text in SHOP.items()})
    assert {app.label for app in made.summary.apps} == {"catalog", "people", "reviews"}
    assert {str(coupling).partition(": ")[2] for coupling in made.couplings} == {
        "reviews.Review -> catalog.Product, foreign key (product)",
        "reviews.Review -> people.User, foreign key (author)",
    }


def test_the_package_itself_may_be_named_instead_of_the_project(tmp_path):
    make(tmp_path, SHOP)
    made = make_map(tmp_path / "shop", Kept(None))
    assert [coupling.source for coupling in made.couplings] == ["reviews.Review"] * 2


def test_a_module_of_the_package_that_is_named_is_not_taken_for_a_library_of_the_same_name(tmp_path):
    make(tmp_path, {**SHOP, "shop/celery.py": "", "shop/reviews/tasks.py": "from celery import shared_task"})
    assert not [one for one in make_map(tmp_path / "shop", Kept(None)).couplings if one.kind == "import"]


def test_apps_in_a_folder_without_init_are_found_by_both_of_their_names(tmp_path):
    files = {path.replace("shop/", "apps/"): text for path, text in SHOP.items() if path != "shop/__init__.py"}
    made = mapped(tmp_path, {**files, "apps/reviews/views.py": "from apps.catalog.models import Product"})
    assert "apps/reviews/views.py:1: reviews.views -> catalog.models, import (Product)" in map(str, made.couplings)


def test_what_was_found_before_is_used_and_gives_the_same(tmp_path):
    project = make(tmp_path / "project", SHOP)
    kept = tmp_path / "cache" / "map.sqlite3"
    first = make_map(project, Kept(kept))
    assert make_map(project, Kept(kept)) == first
    make(project, {"shop/reviews/views.py": "import shop.catalog.models"})
    assert make_map(project, Kept(kept)) == make_map(project, Kept(None))
    os.truncate(kept, 100)
    assert make_map(project, Kept(kept)) == make_map(project, Kept(None))


def test_several_processes_find_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("strangler.analysis.mapping._FEW", 1)
    project = make(tmp_path, SHOP)
    assert make_map(project, Kept(None), processes=2) == make_map(project, Kept(None), processes=1)


PLANTED = {
    ("reviews", "catalog", Kind.FOREIGN_KEY, "monolith/reviews/models.py"),
    ("reviews", "accounts", Kind.FOREIGN_KEY, "monolith/reviews/models.py"),
    ("reviews", "accounts", Kind.SIGNAL, "monolith/reviews/signals.py"),
    ("reviews", "catalog", Kind.SIGNAL, "monolith/reviews/signals.py"),
    ("reviews", "catalog", Kind.IMPORT, "monolith/reviews/signals.py"),
    ("reviews", "orders", Kind.SQL, "monolith/reviews/reports.py"),
    ("reviews", "accounts", Kind.SQL, "monolith/reviews/reports.py"),
    ("catalog", "reviews", Kind.ADMIN, "monolith/catalog/admin.py"),
    ("catalog", "orders", Kind.ADMIN, "monolith/catalog/admin.py"),
    ("catalog", "orders", Kind.IMPORT, "monolith/catalog/views.py"),
    ("catalog", "reviews", Kind.IMPORT, "monolith/catalog/views.py"),
    ("catalog", "media", Kind.FOREIGN_KEY, "monolith/catalog/models.py"),
    ("accounts", "outbox", Kind.IMPORT, "monolith/accounts/services.py"),
    ("accounts", "orders", Kind.IMPORT, "monolith/accounts/views.py"),
    ("accounts", "reviews", Kind.IMPORT, "monolith/accounts/views.py"),
    ("reviews", "catalog", Kind.READ, "monolith/reviews/selectors.py"),
    ("reviews", "catalog", Kind.TEMPLATE, "monolith/reviews/views.py"),
    ("catalog", "reviews", Kind.TEMPLATE, "monolith/templates/catalog/product.html"),
    ("search", "catalog", Kind.JOIN, "monolith/search/selectors.py"),
    ("cart", "catalog", Kind.FOREIGN_KEY, "monolith/cart/models.py"),
    ("orders", "cart", Kind.WRITE, "monolith/orders/services.py"),
    ("orders", "workflow", Kind.IMPORT, "monolith/orders/services.py"),
    ("orders", "outbox", Kind.IMPORT, "monolith/orders/services.py"),
    ("orders", "accounts", Kind.FOREIGN_KEY, "monolith/orders/models.py"),
    ("orders", "catalog", Kind.ONE_TO_ONE, "monolith/orders/models.py"),
    ("events", "accounts", Kind.SOFT_KEY, "monolith/events/models.py"),
    ("notifications", "accounts", Kind.FOREIGN_KEY, "monolith/notifications/models.py"),
    ("reviews", "catalog", Kind.HIDDEN_WRITE, "monolith/reviews/signals.py"),
    ("catalog", "reviews", Kind.HIDDEN_WRITE, "monolith/reviews/signals.py"),
    ("accounts", "reviews", Kind.HIDDEN_WRITE, "monolith/reviews/signals.py"),
    ("reviews", "catalog", Kind.IMPORT, "monolith/reviews/tasks.py"),
    ("reviews", "catalog", Kind.PREFIX, "monolith/reviews/urls.py"),
    ("reviews", "catalog", Kind.PREFIX, "monolith/reviews/api_urls.py"),
    ("cart", "catalog", Kind.PREFIX, "monolith/cart/urls.py"),
    ("cart", "media", Kind.URL, "monolith/templates/cart/cart.html"),
    ("catalog", "media", Kind.URL, "monolith/templates/catalog/product.html"),
    ("catalog", "orders", Kind.READ, "monolith/catalog/views.py"),
    ("catalog", "orders", Kind.JOIN, "monolith/orders/selectors.py"),
    ("(monolith)", "reviews", Kind.TASK, "monolith/settings.py"),
    ("(monolith)", "cart", Kind.STRING_IMPORT, "monolith/settings.py"),
    ("(monolith)", "events", Kind.STRING_IMPORT, "monolith/settings.py"),
    ("(monolith)", "monitoring", Kind.STRING_IMPORT, "monolith/settings.py"),
    ("(monolith)", "catalog", Kind.SQL, "monolith/seed/load.py"),
}
"""What docs/orchard.md says of who reaches into whom, as far as a line shows it."""
JUDGED = frozenset((Path(__file__).parent / "orchard.txt").read_text().splitlines())
"""Couplings of Orchard, without their lines, that a person has held against the code and found right."""


@pytest.fixture(scope="module")
def orchard():
    return make_map(ROOT / "monolith", Kept(None))


def test_of_what_was_planted_in_orchard_all_is_found_and_of_what_is_found_nearly_all_is_right(orchard, record_property):
    """Recall over what was planted; precision over what was judged, where what nobody has judged counts as wrong."""
    seen = {(c.source_app, c.target_app, c.kind, "monolith/" + c.path) for c in orchard.couplings}
    found = [re.sub(r":[0-9]+: ", ": ", str(c), count=1) for c in orchard.couplings if not c.test]
    recall = len(PLANTED & seen) / len(PLANTED)
    precision = sum(one in JUDGED for one in found) / len(found)
    record_property("recall", f"{recall:.2f} of {len(PLANTED)}")
    record_property("precision", f"{precision:.2f} of {len(found)}")
    assert recall == 1, sorted(PLANTED - seen)
    assert precision >= 0.95, sorted(set(found) - JUDGED)
    assert not JUDGED - set(found), "judged right, and not found any more"


def test_the_command_shows_pairs_lines_and_json(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = str(make(tmp_path / "project", SHOP))
    assert main(["map", project]) == 0
    assert "reviews -> catalog     10  1 foreign key" in capsys.readouterr().out
    assert main(["map", project, "--lines", "--app", "people"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "shop/reviews/models.py:6: reviews.Review -> people.User, foreign key (author)"
    ]
    assert main(["map", project, "--json", "--kind", "read"]) == 0
    assert '"couplings": []' in capsys.readouterr().out
    assert main(["map", str(tmp_path / "nowhere")]) == 1
    assert "is no folder" in capsys.readouterr().err
