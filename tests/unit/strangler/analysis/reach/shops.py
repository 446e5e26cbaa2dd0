"""A small shop with all that a change can reach, and what a change of it reaches."""

from pathlib import Path

from strangler.analysis.kept import Kept
from strangler.analysis.reach.asking import Answer, ask
from tests.unit.strangler.analysis.places import SHOP

REACHED = {
    **{path: text for path, text in SHOP.items() if "settings" not in path},
    "manage.py": "",
    "shop/settings.py": """
        AUTH_USER_MODEL = "people.User"
        MIDDLEWARE = ["shop.middleware.Measure"]
        PAGE = 20
        TEMPLATES = [{"OPTIONS": {"context_processors": ["shop.context.number"]}}]
    """,
    "shop/middleware.py": """
        class Measure:
            def __call__(self, request):
                return self._next(request)
    """,
    "shop/context.py": """
        def number(request):
            return {"number": 1}
    """,
    "shop/urls.py": """
        from django.urls import include, path
        from shop.reviews import api, views

        urlpatterns = [
            path("", views.home, name="home"),
            path("products/<int:pk>/", views.Page.as_view(), name="product"),
            path("api/", include("shop.reviews.api")),
            path("about/", TemplateView.as_view(template_name="about.html"), name="about"),
        ]
        from django.views.generic import TemplateView
    """,
    "shop/reviews/api.py": """
        from django.urls import path
        from shop.reviews.views import rated

        urlpatterns = [path("rated/", rated, name="rated")]
    """,
    "shop/reviews/views.py": """
        from django.conf import settings
        from django.shortcuts import render
        from django.views.generic import DetailView
        from shop.catalog.models import Product
        from shop.reviews.engine import Engine, run
        from shop.reviews.selectors import best, rating_of

        def home(request):
            return render(request, "home.html", {"best": best()[: settings.PAGE]})

        class Page(DetailView):
            model = Product
            template_name = "product.html"

            def get_context_data(self, **kwargs):
                return {"rating": rating_of(self.object), "rank": Engine().rank(1)}

        def rated(request):
            return run(Engine())
    """,
    "shop/reviews/engine.py": """
        class Engine:
            def rank(self, number):
                return self._half(number)

            def _half(self, number):
                return number / 2

            def everything(self):
                return []

        def run(engine):
            return engine.everything()
    """,
    "shop/reviews/selectors.py": """
        from shop.catalog.models import Product
        from shop.reviews.models import Review

        def best():
            return _sorted(Product.objects.all())

        def _sorted(products):
            return products.order_by("name")

        def rating_of(product):
            return Review.objects.filter(product=product).count()
    """,
    "shop/reviews/services.py": """
        from shop.reviews.models import Review

        def write(product, rating):
            return Review.objects.create(product=product, rating=rating)
    """,
    "shop/reviews/signals.py": """
        from django.db.models.signals import post_save
        from django.dispatch import receiver
        from shop.catalog.models import Product
        from shop.reviews.models import Review

        @receiver(post_save, sender=Review)
        def copy_rating(sender, instance, **kwargs):
            Product.objects.filter(pk=instance.product_id).update(name="rated")
    """,
    "shop/reviews/tasks.py": """
        from celery import shared_task
        from shop.reviews.services import write

        @shared_task(name="reviews.import")
        def load():
            write(1, 5)
    """,
    "shop/reviews/management/commands/seed.py": """
        from django.core.management.base import BaseCommand
        from shop.reviews.services import write

        class Command(BaseCommand):
            def handle(self, **options):
                write(1, 1)
    """,
    "shop/reviews/admin.py": """
        from django.contrib import admin
        from shop.reviews.models import Review

        @admin.register(Review)
        class ReviewAdmin(admin.ModelAdmin):
            def stars(self, review):
                return "*" * review.rating
    """,
    "shop/reviews/templatetags/stars.py": """
        from django import template
        register = template.Library()

        @register.filter
        def stars(rating):
            return "*" * rating
    """,
    "shop/reviews/templates/base.html": "<html>",
    "shop/reviews/templates/home.html": '{% extends "base.html" %}',
    "shop/reviews/templates/product.html": '{% extends "base.html" %}{% load stars %}{{ rating|stars }}',
    "shop/reviews/templates/about.html": "<p>",
    "tests/conftest.py": """
        import pytest
        from shop.reviews.services import write

        @pytest.fixture
        def review():
            return write(1, 5)
    """,
    "tests/test_pages.py": """
        import pytest
        from django.urls import reverse
        from django.test import TestCase

        @pytest.mark.parametrize("path", ["/", "/about/"])
        def test_page(client, path):
            client.get(path)

        def test_product(client, review):
            client.get(f"/products/{review.pk}/?all")

        def test_names(client):
            client.get(reverse("rated"))

        class AdminTests(TestCase):
            def test_admin(self):
                self.client.get("/admin/reviews/review/")
    """,
    "tests/test_selectors.py": """
        from shop.reviews import selectors

        class TestBest:
            def test_best(self):
                assert selectors.best()

        def test_a_path_without_a_client():
            assert "/".split("/")
    """,
}


def reach(root: Path, *about: str) -> Answer:
    """What these can reach."""
    return ask(root, about, Kept(None))


def names(answer: Answer, *kinds: str) -> list[str]:
    """The entries by their names, the nearest first; those that are unsure with "~", gone ones with "-"."""
    return [
        f"{'' if one.sure else '~'}{'-' if one.gone else ''}{one.name.removeprefix('tests/')}"
        for one in answer.blast.entries
        if not kinds or one.kind in kinds
    ]
