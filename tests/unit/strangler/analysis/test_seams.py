"""What could be cut out of the shop and of Orchard, and what that would cost."""

import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from strangler.analysis.communities import communities, kept_communities
from strangler.analysis.coupling import Kind
from strangler.analysis.graph import graph_of
from strangler.analysis.kept import Kept, packed
from strangler.analysis.mapping import make_map
from strangler.analysis.seams import find_seams, pareto, seam
from strangler.analysis.showing import seam_as_text, verdict
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make, mapped

ROOT = Path(__file__).parents[4]
BUSY = {
    **SHOP,
    "shop/reviews/views.py": """
        from shop.catalog.models import Product
        from shop.reviews.models import Review

        def rate(request, pk):
            product = Product.objects.get(pk=pk)
            Review.objects.create(product=product)
            product.save()
    """,
    "shop/catalog/jobs.py": """
        from shop.reviews.models import Review

        def forget():
            Review.objects.all().delete()
    """,
    "shop/urls.py": """
        from django.urls import path
        from shop.reviews import views
        urlpatterns = [path("rate/<pk>/", views.rate, name="rate")]
    """,
}
KNOT = {
    f"{app}/{name}": text
    for app, other in (("one", "two"), ("two", "one"))
    for name, text in {
        "__init__.py": "",
        "models.py": f"""
            from django.db import models

            class {app.title()}(models.Model):
                other = models.ForeignKey("{other}.{other.title()}", models.CASCADE, null=True)
        """,
        "views.py": f"""
            from {other}.models import {other.title()}

            def save():
                {other.title()}.objects.create()
        """,
    }.items()
}
"""Two apps, each of which writes the other's rows alone."""


@pytest.fixture(scope="module")
def orchard():
    return graph_of(make_map(ROOT / "monolith", Kept(None)))


def of_app(graph, app):
    return seam(graph, app, frozenset(node for node, owner in graph.apps.items() if owner == app))


def test_what_passes_a_seams_border_is_counted_on_its_side(tmp_path):
    graph = graph_of(mapped(tmp_path, BUSY))
    reviews = of_app(graph, "reviews")
    assert reviews.models == ("reviews.Review",)
    assert sorted(str(coupling.kind) for coupling in reviews.out) == [
        "foreign key", "foreign key", "import", "read", "write",
    ]  # fmt: skip
    assert sorted(str(coupling.kind) for coupling in reviews.into) == ["import", "import", "read", "write"]
    assert reviews.several_writers == ("catalog.Product", "reviews.Review")
    assert reviews.transactions == ("shop.reviews.views.rate",)
    assert reviews.replicated == ("catalog.Product", "people.User")
    assert reviews.routes == 1
    assert (reviews.cut, reviews.inner) == (10 + 10 + 1 + 4 + 8 + 1 + 1 + 4 + 8, 1 + 8)
    assert reviews.keys == 2
    assert [coupling.kind for coupling in reviews.first] == [Kind.WRITE, Kind.WRITE]


def test_a_model_that_is_thought_elsewhere_changes_the_border(tmp_path):
    graph = graph_of(mapped(tmp_path, BUSY))
    moved = graph.moved("reviews.Review", "catalog")
    assert of_app(moved, "reviews").models == ()
    assert "reviews.Review" in of_app(moved, "catalog").models
    with pytest.raises(ValueError, match=r'no model or module "reviews\.Vote"'):
        graph.moved("reviews.Vote", "catalog")
    with pytest.raises(ValueError, match='no app "stock"'):
        graph.moved("reviews.Review", "stock")


def test_a_project_in_one_knot_has_no_seam_worth_cutting(tmp_path):
    graph = graph_of(mapped(tmp_path, KNOT))
    assert verdict(graph, find_seams(graph)).startswith("no seam worth cutting here: even ")
    nothing = graph_of(mapped(tmp_path / "plain", {"tool/__init__.py": "", "tool/main.py": "import os"}))
    assert verdict(nothing, find_seams(nothing)).startswith("no seam: there are no models")


def test_orchards_seams_are_the_same_at_every_run_and_islands_come_first(orchard):
    seams = find_seams(orchard)
    assert [one.name for one in find_seams(orchard)] == [one.name for one in seams]
    openness = {one.name: one.openness for one in seams}
    assert openness["monitoring"] < openness["media"] < openness["reviews"] < 0.5


def test_groups_are_found_once_for_the_same_ties_whosever_the_nodes_are(orchard, tmp_path):
    kept = Kept(tmp_path / "kept")
    groups = kept_communities(orchard, kept)
    assert groups == communities(orchard)
    assert kept_communities(orchard.moved("reviews.Vote", "catalog"), kept) == groups
    others = [frozenset({"a", "b", "c"})]  # what is kept is taken
    with sqlite3.connect(tmp_path / "kept") as database:
        assert database.execute("UPDATE kept SET value = ?", (packed(others),)).rowcount == 1
    assert kept_communities(orchard, kept) == others
    fewer = replace(orchard, ties=orchard.ties[1:])
    assert kept_communities(fewer, kept) == communities(fewer)


def test_seams_do_not_depend_on_the_order_in_which_files_are_read(orchard):
    turned = replace(
        orchard,
        apps=dict(reversed(orchard.apps.items())),
        ties=tuple(reversed(orchard.ties)),
        routes=dict(reversed(orchard.routes.items())),
        transactions=tuple(reversed(orchard.transactions)),
    )
    for one, other in zip(find_seams(orchard), find_seams(turned), strict=True):
        assert (one.name, one.nodes, one.cut, one.inner) == (other.name, other.nodes, other.cut, other.inner)
        assert (one.quality, one.transactions, one.risk) == (other.quality, other.transactions, other.risk)
        assert set(one.out) == set(other.out)


def test_seams_do_not_depend_on_how_python_hashes_texts():
    command = [sys.executable, "-c", "import sys; from strangler.cli import main; sys.exit(main(sys.argv[1:]))"]
    said = {
        subprocess.run(
            [*command, "propose", str(ROOT / "monolith"), "--json", "--anew"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1


def test_no_seam_on_the_front_is_bettered_by_another(orchard):
    seams = find_seams(orchard)
    front = pareto(seams)
    for one in seams:
        bettered = any(
            other.openness <= one.openness and other.data <= one.data and other.lines > one.lines for other in seams
        )
        assert not (one.name in front and bettered)


def test_what_docs_say_a_plan_must_resolve_first_is_said_of_orchards_reviews(orchard):
    lines = "\n".join(seam_as_text(of_app(orchard, "reviews")))
    for wanted in ("reviews/reports.py:8", "catalog/admin.py:12", "-> orders.Line, sql", "receives post_delete"):
        assert wanted in lines


def test_the_command_lists_seams_and_shows_one(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = str(make(tmp_path / "project", BUSY))
    assert main(["propose", project]) == 0
    assert capsys.readouterr().out.startswith("1 of 4 candidates hold together more")
    assert main(["propose", project, "--seam", "reviews", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["models"] == ["reviews.Review"]
    assert main(["propose", project, "--move", "shop.reviews.views", "--with", "people", "--seam", "people"]) == 0
    assert "people: 1 models" in capsys.readouterr().out
    for wrong, sentence in (
        (["--move", "reviews.Review"], "go together"),
        (["--seam", "stock"], 'no seam "stock"'),
        (["--move", "x", "--with", "y"], 'no model or module "x"'),
    ):
        assert main(["propose", project, *wrong]) == 1
        assert sentence in capsys.readouterr().err
