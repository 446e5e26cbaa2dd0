"""From a definition to all that reaches it, and on to the tables that it uses."""

import shutil
from pathlib import Path

import pytest

from strangler.analysis.kept import Kept
from strangler.analysis.reach.building import read_state
from strangler.analysis.reach.walking import Walk, way
from tests.unit.strangler.analysis.places import make, mapped
from tests.unit.strangler.analysis.reach.shops import REACHED

ROOT = Path(__file__).parents[5]


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    return Walk(usage=read_state(make(tmp_path_factory.mktemp("shop"), REACHED), Kept(None)).usage)


def entries(walk, node, *kinds):
    return {
        f"{'' if at.sure else '~'}{entry.name.removeprefix('tests/')}"
        for entry, at in walk.entries(walk.back([node]))
        if not kinds or entry.kind in kinds
    }


def tables(walk, node):
    return {f"{touch.does} {touch.table}" for touch, _ in walk.tables([node])}


HOME = {"/ (home)", "test_pages.py::test_page"}
PRODUCT = {"/products/<pk>/ (product)", "test_pages.py::test_product"}
RATED = {"/api/rated/ (rated)", "test_pages.py::test_names"}
ABOUT = {"/about/ (about)", "test_pages.py::test_page"}
SAVED = {
    "post_save of reviews.Review",
    "reviews.import",
    "seed",
    "reviews.Review",
    "test_pages.py::test_product",
    "test_pages.py::AdminTests::test_admin",
}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("shop.reviews.selectors._sorted", {*HOME, "test_selectors.py::TestBest::test_best"}),
        ("shop.reviews.views.Page.get_context_data", PRODUCT),
        ("shop.reviews.selectors.rating_of", PRODUCT),
        ("shop.reviews.engine.Engine.rank", PRODUCT),
        ("shop.reviews.engine.Engine._half", PRODUCT),
        ("shop.reviews.engine.Engine.everything", {f"~{name}" for name in RATED}),
        ("shop.reviews.engine.run", RATED),
        ("shop.settings.PAGE", HOME),
        ("shop.reviews.signals.copy_rating", SAVED),
        ("shop.reviews.services.write", SAVED - {"post_save of reviews.Review", "reviews.Review"}
         - {"test_pages.py::AdminTests::test_admin"}),
        ("shop.reviews.admin.ReviewAdmin.stars", {"reviews.Review", "test_pages.py::AdminTests::test_admin"}),
        ("shop.reviews.templatetags.stars.stars", PRODUCT),
        ("template product.html", PRODUCT),
        ("template base.html", HOME | PRODUCT),
        ("template about.html", ABOUT),
        ("shop.context.number", HOME | PRODUCT | ABOUT | {"reviews.Review", "test_pages.py::AdminTests::test_admin"}),
        ("shop.middleware.Measure.__call__", HOME | PRODUCT | ABOUT | RATED
         | {"reviews.Review", "test_pages.py::AdminTests::test_admin"}),
        ("tests.conftest.review", {"test_pages.py::test_product"}),
    ],
)  # fmt: skip
def test_who_reaches(walk, node, expected):
    assert entries(walk, node) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ("shop.reviews.views.home", {"reads catalog_product"}),
        ("shop.reviews.selectors.rating_of", {"reads reviews_review"}),
        ("shop.reviews.services.write", {"writes reviews_review", "writes catalog_product", "reads catalog_product"}),
        ("shop.reviews.engine.run", set()),
        ("shop.catalog.models.Product", {"is catalog_product"}),
    ],
)  # fmt: skip
def test_which_tables_are_used(walk, node, expected):
    assert tables(walk, node) == expected


def test_a_model_reaches_whatever_asks_for_its_rows_and_no_model_with_a_key_to_it(walk):
    reached = walk.back(["shop.catalog.models.Product"])
    assert entries(walk, "shop.catalog.models.Product", "route") == {"/ (home)", "/products/<pk>/ (product)"}
    assert "shop.reviews.models.Review" not in reached


def test_the_nearest_come_first_with_their_way(walk):
    reached = walk.back(["shop.reviews.selectors._sorted"])
    found = walk.entries(reached)
    assert [(entry.name, at.steps) for entry, at in found] == [
        ("/ (home)", 2),
        ("tests/test_selectors.py::TestBest::test_best", 2),
        ("tests/test_pages.py::test_page", 3),
    ]
    assert way(reached, found[0][0].node)[1:] == [
        "shop.reviews.views.home",
        "shop.reviews.selectors.best",
        "shop.reviews.selectors._sorted",
    ]


def walk_of(root, files):
    return Walk(usage=read_state(make(root, files), Kept(None)).usage)


def test_a_method_of_an_object_that_nobody_declared_is_not_everybodys_of_that_name(tmp_path):
    files = {
        "shop/__init__.py": "",
        "shop/urls.py": """
            from django.urls import path
            from shop import views
            urlpatterns = [path("a/", views.a), path("b/", views.b), path("c/", views.c)]
        """,
        "shop/things.py": """
            class Thing:
                def get(self): ...
                def polish(self): ...
            class Other:
                def get(self): ...
        """,
        "shop/views.py": """
            from shop.things import Other, Thing
            def a(request):
                return request.GET.get("a")
            def b(request):
                return helper(Thing())
            def c(request):
                return elsewhere().polish()
            def helper(thing):
                return thing.polish()
            def made():
                return Thing()
            def elsewhere():
                return Other()
        """,
    }
    walk = walk_of(tmp_path, files)
    assert entries(walk, "shop.things.Thing.polish") == {"~/b/"}
    assert entries(walk, "shop.things.Thing.get") == set()


def test_a_mixin_stands_for_what_a_base_calls_of_itself(tmp_path):
    files = {
        "shop/__init__.py": "",
        "shop/strategy.py": """
            class Base:
                def price(self, product):
                    return self.pick(product)
                def pick(self, product):
                    raise NotImplementedError
            class First:
                def pick(self, product):
                    return product.first
            class Default(First, Base):
                pass
        """,
        "shop/tasks.py": """
            from celery import shared_task
            from shop.strategy import Default
            @shared_task
            def count():
                return priced(Default())
            def priced(strategy):
                return strategy.price(1)
        """,
    }
    walk = walk_of(tmp_path, files)
    assert entries(walk, "shop.strategy.First.pick") == {"shop.tasks.count"}
    assert entries(walk, "shop.strategy.Base.price") == {"~shop.tasks.count"}


def test_a_function_that_a_decorator_keeps_is_reached_by_who_reads_what_it_keeps(tmp_path):
    files = {
        "shop/__init__.py": "",
        "shop/engine.py": """
            _steps = {}
            def step(name):
                def register(function):
                    _steps[name] = function
                    return function
                return register
            def run(name):
                return _steps[name]()
        """,
        "shop/steps.py": """
            from shop.engine import step
            @step("pack")
            def pack(): ...
        """,
        "shop/tasks.py": """
            from celery import shared_task
            from shop.engine import run
            @shared_task
            def go():
                run("pack")
        """,
    }
    assert entries(walk_of(tmp_path, files), "shop.steps.pack") == {"~shop.tasks.go"}


def test_rows_that_are_deleted_with_others_are_deleted_too(tmp_path):
    files = {
        **REACHED,
        "shop/reviews/signals.py": """
            from django.db.models.signals import post_delete
            from django.dispatch import receiver
            from shop.reviews.models import Review
            @receiver(post_delete, sender=Review)
            def forget(sender, instance, **kwargs): ...
        """,
        "shop/catalog/tasks.py": """
            from celery import shared_task
            from shop.catalog.models import Product
            @shared_task
            def clean():
                Product.objects.filter(name="").delete()
        """,
    }
    assert "shop.catalog.tasks.clean" in entries(walk_of(tmp_path, files), "shop.reviews.signals.forget", "task")


def test_computed_names_are_told_with_their_lines(tmp_path):
    files = {
        "shop/__init__.py": "",
        "shop/a.py": """
            def call(name, other):
                getattr(other, name)()
                getattr(other, "known")()
                return eval(name)
        """,
    }
    assert [str(blind) for blind in walk_of(tmp_path, files).usage.blind] == [
        "shop/a.py:2: getattr() with a computed name in shop.a.call",
        "shop/a.py:4: eval() in shop.a.call",
    ]


def test_modules_of_one_name_outside_of_packages_are_told_apart(tmp_path):
    files = {f"tests/{name}/conftest.py": f"import {name}" for name in ("a", "b")} | {"manage.py": ""}
    modules = {module.path: module.name for module in mapped(tmp_path, files).summary.modules}
    assert modules["tests/a/conftest.py"] == "tests.a.conftest"
    assert modules["tests/b/conftest.py"] == "tests.b.conftest"
    assert modules["manage.py"] == "manage"


# Orchard, as a person reads it.


@pytest.fixture(scope="module")
def orchard(tmp_path_factory):
    root = tmp_path_factory.mktemp("orchard")
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "monolith", root / "monolith", ignore=ignored)
    shutil.copytree(ROOT / "tests/unit/monolith", root / "tests/unit/monolith", ignore=ignored)
    return Walk(usage=read_state(root, Kept(None)).usage)


def in_orchard(walk, node, *kinds):
    return {name.removeprefix("unit/monolith/") for name in entries(walk, node, *kinds)}


def test_a_function_of_orchards_catalog_reaches_two_pages_and_their_tests(orchard):
    assert in_orchard(orchard, "monolith.catalog.selectors.category_list") == {
        "/ (home)",
        "/products/ (products)",
        "test_pages.py::test_page_for_anybody",
        "test_pages.py::test_pages_need_nothing_from_elsewhere",
        "test_pages.py::test_unknown_address_says_so",
    }
    assert tables(orchard, "monolith.catalog.selectors.category_list") == {
        "reads catalog_category",
        "reads catalog_product",
    }


def test_the_rating_of_orchards_products_is_reached_by_all_that_writes_or_deletes_reviews(orchard):
    node = "monolith.catalog.services.product_rating_update"
    assert in_orchard(orchard, node, "route", "task", "receiver", "admin", "command") == {
        "post_save of reviews.Review",
        "post_delete of reviews.Review",
        "reviews.reconcile_ratings",
        "reviews.refresh_ratings",
        # The admin's pages save and delete reviews, and what reviews are deleted with.
        "reviews.Review",
        "catalog.Product",
        "accounts.User",
        "/api/reviews/",
        "/api/reviews/<pk>/",
        # Methods of whoever has the reviews are found by their names.
        "~/products/<slug>/review/ (post-review)",
        "~reviews.forget",
        "~reviews.moderate_review",
        "~reviews.sweep",
        "~post_delete of catalog.Product",
        "~post_delete of accounts.User",
    }
    assert tables(orchard, node) == {"reads catalog_product", "writes catalog_product"}


def test_a_template_of_orchards_reaches_every_page_that_shows_it(orchard):
    assert in_orchard(orchard, "template catalog/_card.html") == {
        "/ (home)",
        "/products/ (products)",
        "/products/<slug>/ (product)",
        "/products/<slug>/review/ (post-review)",
        "/search/ (search)",
        "test_observation.py::test_page_that_succeeded_is_an_event_and_a_failed_one_is_not",
        "test_refused_writes.py::test_refused_review_of_the_form_may_be_replayed",
        *(
            f"test_pages.py::test_{name}"
            for name in (
                *("page_for_anybody", "pages_need_nothing_from_elsewhere", "unknown_address_says_so"),
                *("review_form_is_published_once_however_often_it_is_sent", "review_form_tells_what_is_wrong"),
                "product_page_goes_on_without_reviews_when_their_service_is_down",
                "form_keeps_its_text_and_reference_when_the_service_is_down",
            )
        ),
    }


def test_orchards_workflow_steps_are_reached_by_the_task_that_runs_them(orchard):
    found = in_orchard(orchard, "monolith.orders.workflows.ship", "task", "command", "route")
    assert {"~workflow.run", "~run_workflows"} <= found
