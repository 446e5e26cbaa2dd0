"""A project of its own, on SQLite, whose tests are traced: functions, a TestCase, and requests of both clients."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.analysis.observed.picture import Picture
from strangler.analysis.observed.reading import read_trace
from tests.unit.strangler.analysis.places import make

ROOT = Path(__file__).parents[4]
PROJECT = {
    "settings.py": """
        SECRET_KEY = "x"
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
        INSTALLED_APPS = ["shop", "people"]
        ROOT_URLCONF = "shop.urls"
        MIDDLEWARE = []
        ALLOWED_HOSTS = ["*"]
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    """,
    "shop/__init__.py": "",
    "shop/models.py": """
        from django.db import models

        class Product(models.Model):
            name = models.CharField(max_length=20)
    """,
    "people/__init__.py": "",
    "people/models.py": """
        from django.db import models
        from django.db.models.signals import post_save
        from django.dispatch import receiver

        class Note(models.Model):
            text = models.CharField(max_length=20)

        @receiver(post_save, sender="shop.Product")
        def heard(sender, **kwargs):
            pass
    """,
    "shop/services.py": """
        from django.db import transaction
        from people.models import Note
        from shop.models import Product

        def make(name):
            with transaction.atomic():
                Product.objects.create(name=name)
                Note.objects.create(text=name)

        def fail(name):
            try:
                with transaction.atomic():
                    Product.objects.create(name=name)
                    Note.objects.create(text=name)
                    raise ValueError
            except ValueError:
                pass
    """,
    "shop/urls.py": """
        from asgiref.sync import sync_to_async
        from django.http import HttpResponse
        from django.urls import path
        from shop.services import make

        def plain(request, name):
            make(name)
            return HttpResponse()

        async def later(request, name):
            await sync_to_async(make)(name)
            return HttpResponse()

        urlpatterns = [path("plain/<str:name>/", plain), path("later/<str:name>/", later)]
    """,
    "test_shop.py": """
        import pytest
        from asgiref.sync import async_to_sync
        from django.test import AsyncClient, TestCase
        from shop.services import fail, make

        @pytest.mark.django_db
        @pytest.mark.parametrize("name", ["Rosebud"])
        def test_function(name):
            make(name)
            fail(name)

        class TestShop(TestCase):
            def test_method(self):
                make("Rosebud")

            def test_client(self):
                assert self.client.get("/plain/Rosebud/").status_code == 200

            def test_async_client(self):
                assert async_to_sync(AsyncClient().get)("/later/Rosebud/").status_code == 200
    """,
}


def run(root, *arguments):
    # The plugins that are named, once: what a build left behind in this folder may offer ours as well.
    environment = {**os.environ, "PYTHONPATH": f"{root}:{ROOT}:{ROOT / 'proxy'}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    for name in ("PYTEST_ADDOPTS", "DJANGO_SETTINGS_MODULE", "PYTEST_XDIST_WORKER"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "strangler.tracing.pytest_plugin", *arguments]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    root = make(tmp_path_factory.mktemp("project"), PROJECT)
    done = run(root, "-p", "pytest_django.plugin", "--ds", "settings", "--strangler-trace", "traces")
    assert done.returncode == 0, done.stdout
    return root / "traces"


@pytest.fixture(scope="module")
def trace(traced):
    return read_trace(traced)


def test_each_test_and_each_request_in_it_is_an_entry(trace):
    assert {(kind, name, entry.units) for (kind, name), entry in trace.entries.items()} == {
        ("test", "test_shop.py::test_function", 1),
        ("test", "test_shop.py::TestShop::test_method", 1),
        ("test", "test_shop.py::TestShop::test_client", 1),
        ("test", "test_shop.py::TestShop::test_async_client", 1),
        ("route", "GET /plain/<str:name>/", 1),
        ("route", "GET /later/<str:name>/", 1),
    }
    assert trace.complaints == []


def test_the_transaction_of_a_test_case_is_none_of_the_projects(trace):
    picture = Picture(trace=trace, tables=trace.tables, apps=frozenset(trace.apps))
    assert {(held.entry.name, tuple(sorted(held.written)), held.times) for held in picture.transactions} == {
        (name, ("people.Note", "shop.Product"), 1)
        for name in (
            "test_shop.py::test_function",
            "test_shop.py::TestShop::test_method",
            "GET /plain/<str:name>/",
            "GET /later/<str:name>/",
        )
    }


def test_a_test_knows_the_tables_that_its_requests_reached(trace):
    reached = trace.entries["test", "test_shop.py::TestShop::test_client"].reached
    assert {shape.text.split()[2] for shape, _ in reached} == {'"shop_product"', '"people_note"'}


def test_signal_is_told_with_who_hears_it(trace):
    (fired,) = trace.entries["route", "GET /plain/<str:name>/"].signals
    assert (fired.signal, fired.sender, fired.receivers) == (
        "django.db.models.signals.post_save",
        "shop.Product",
        (("people.models.heard", "people"),),
    )


def test_code_is_told_by_its_line(trace):
    sites = {str(site) for _, site in trace.entries["route", "GET /later/<str:name>/"].uses}
    assert sites == {"shop/services.py:7", "shop/services.py:8"}


def test_no_value_is_written(traced):
    text = "".join(file.read_text() for file in traced.iterdir())
    assert "shop_product" in text
    assert "Rosebud" not in text


def test_without_django_it_says_what_is_missing(tmp_path):
    done = run(make(tmp_path, {"test_x.py": "def test_x():\n    pass\n"}), "--strangler-trace", "t")
    assert done.returncode != 0
    assert "--strangler-trace needs Django to be set up" in done.stdout + done.stderr
