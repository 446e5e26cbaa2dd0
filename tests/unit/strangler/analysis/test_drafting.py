"""Plans that are drafted from a map."""

from pathlib import Path
from textwrap import dedent

import pytest

from strangler.analysis.advice import ADVICE
from strangler.analysis.coupling import Kind
from strangler.analysis.drafting import draft, is_resolved
from strangler.analysis.graph import graph_of
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.seams import find_seams, seam
from strangler.cli import main
from strangler.plans import wiring
from strangler.plans.report import check_plans
from tests.unit.strangler.analysis.places import SHOP, mapped

ROOT = Path(__file__).parents[4]
URLS = """
    from django.urls import path
    from shop.reviews import views
    from shop.catalog import pages

    urlpatterns = [
        path("api/products/<pk>/reviews/", views.Reviews.as_view()),
        path("api/products/", pages.products),
        path("api/reviews/", views.Reviews.as_view()),
        path("api/reviews/<pk>/votes/", views.Reviews.as_view()),
        path("products/<pk>/rate/", views.rate),
    ]
"""
WIDE = {
    **SHOP,
    "shop/urls.py": URLS,
    "shop/catalog/pages.py": "def products(request):\n    pass",
    "shop/reviews/views.py": """
        from rest_framework.views import APIView
        from shop.reviews.models import Review

        class Reviews(APIView):
            def get(self, request):
                return Review.objects.filter(product__name="x").select_related("author")

        def rate(request, pk):
            pass
    """,
    "shop/reviews/migrations/0007_last.py": "class Migration:\n    dependencies = []",
    "shop/reviews/migrations/__init__.py": "",
    "shop/reviews/tasks.py": "@shared_task(name='reviews.sweep')\ndef sweep():\n    pass",
}


def drafted(root, files, app="reviews"):
    found = mapped(root, files)
    graph = graph_of(found)
    return draft(found, graph, seam(graph, app, frozenset(n for n, a in graph.apps.items() if a == app)), app)


def test_a_plan_cuts_copies_moves_and_routes_in_this_order(tmp_path):
    made = drafted(tmp_path, WIDE)
    operations = [line.strip() for line in made.text.partition("operations = [")[2].splitlines() if line.strip()]
    assert operations == [
        'CutForeignKey("reviews.Review.product", keep="product_id", migration="0008_cut_foreign_keys"),',
        'CutForeignKey("reviews.Review.author", keep="author_id", migration="0008_cut_foreign_keys"),',
        'ReplicateTable("catalog.Product", columns=["id", "name"]),',
        'ReplicateTable("people.User", columns=["id"]),',
        'MoveTables(["reviews.Review"]),',
        'MoveRoutes(["/api/products/<pk>/reviews/", "/api/reviews/"], '
        "canary=[100, 1_000, 5_000], hold=60, patience=3_600),",
        'RetireTables(["reviews.Review"]),',
        "]",
    ]  # fmt: skip
    compile(made.text, "plan.py", "exec")


def test_what_a_plan_leaves_to_a_person_is_said_with_its_line(tmp_path):
    tasks = "\n".join(drafted(tmp_path, WIDE).tasks)
    for wanted in (
        "shop/reviews/models.py:5: reviews.Review.product has on_delete CASCADE",
        "shop/reviews/views.py:6: reviews.Review -> catalog.Product, join (filter: product__name): ask twice",
        'shop/reviews/tasks.py: the task "reviews.sweep" is its own',
        "shop/urls.py:10: /products/<pk>/rate/ (shop.reviews.views.rate) stays with the monolith",
    ):
        assert wanted in tasks


def test_a_seam_without_tables_has_no_plan(tmp_path):
    with pytest.raises(ValueError, match="has no tables"):
        drafted(tmp_path, WIDE, app="(shop)")


def test_orchards_reviews_get_a_plan_that_checkplans_accepts(tmp_path, settings):
    into = tmp_path / "plans" / "0001_reviews"
    assert main(["makeplan", "reviews", str(ROOT / "monolith"), "--into", str(into), "--anew"]) == 0
    settings.STRANGLER = {**settings.STRANGLER, "PLANS": into.parent, "RECORDS": into.parent}
    assert not check_plans(wiring.project(), wiring.recorder)
    assert main(["makeplan", "reviews", str(ROOT / "monolith"), "--into", str(into)]) == 1


@pytest.fixture(scope="module")
def orchard():
    return make_map(ROOT / "monolith", Kept(None))


def test_every_seam_of_orchard_gives_a_plan_that_python_reads(orchard):
    graph = graph_of(orchard)
    for one in find_seams(graph):
        compile(draft(orchard, graph, one, "service").text, one.name, "exec")


def test_whatever_passes_a_border_is_cut_copied_or_a_task_at_its_line(orchard):
    graph = graph_of(orchard)
    for one in find_seams(graph):
        made = draft(orchard, graph, one, "service")
        tasks = "\n".join(made.tasks)
        for coupling in (*one.into, *one.out):
            is_cut = coupling.kind in (Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)
            assert is_cut or is_resolved(coupling, one) or str(coupling) in tasks, coupling
        cut = sum(operation.startswith("CutForeignKey") for operation in made.operations)
        assert cut == one.count(Kind.FOREIGN_KEY, Kind.ONE_TO_ONE)


def test_of_every_kind_that_no_operation_resolves_it_is_said_what_becomes_of_it():
    assert set(Kind) - set(ADVICE) == {Kind.FOREIGN_KEY, Kind.ONE_TO_ONE}


def test_a_table_that_is_made_for_another_model_is_not_moved(tmp_path):
    more = """
        class Shelf(models.Model):
            class Meta:
                managed = False
                db_table = "a_view"

        class Best(Review):
            class Meta:
                proxy = True
    """
    files = {**WIDE, "shop/reviews/models.py": dedent(SHOP["shop/reviews/models.py"]) + dedent(more)}
    assert 'MoveTables(["reviews.Review"])' in drafted(tmp_path, files).text
