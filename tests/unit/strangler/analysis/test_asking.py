"""Django's registries are asked on request, behind a fence, and what cannot be asked is said in a sentence."""

import ast
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from strangler.analysis import asking
from strangler.analysis.asking import Start, ask, find_start, sentence
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.truth import parse
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make

ROOT = Path(__file__).resolve().parents[4]
SETTINGS = """
    SECRET_KEY = "x"
    INSTALLED_APPS = ["shop.catalog"]
    ROOT_URLCONF = "shop.urls"
"""
SMALL = {
    "shop/__init__.py": "",
    "shop/settings.py": SETTINGS,
    "shop/urls.py": "urlpatterns = []",
    "shop/catalog/__init__.py": "",
    "shop/catalog/models.py": SHOP["shop/catalog/models.py"],
}


def small(root, settings, more=None):
    """A project whose settings begin with this text."""
    return make(root, {**SMALL, "shop/settings.py": dedent(settings) + dedent(SETTINGS), **(more or {})})


def said(root, settings, more=None, seconds=60):
    """What is said about such a project; it is still mapped, from its files alone."""
    asked = ask(small(root, settings, more), "shop.settings", sys.executable, seconds)
    found = make_map(root, Kept(None), asked=asked)
    assert [model.label for model in found.summary.models] == ["catalog.Category", "catalog.Product"]
    return "\n".join(found.said)


def test_of_orchard_the_files_alone_tell_what_the_registries_do(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "proxy"))  # which is not installed in this tree
    asked = ask(ROOT, "monolith.settings", sys.executable)
    found = make_map(ROOT / "monolith", Kept(None), asked=asked)
    models, routes = found.differences
    assert (models.registries, models.only_registries, models.only_files, models.otherwise) == (23, (), (), ())
    assert (routes.registries, routes.only_registries, routes.only_files) == (33, (), ())
    assert found.couplings == make_map(ROOT / "monolith", Kept(None)).couplings
    assert list(asked.said) == [
        'models and routes are from the registries of Django 5.2.19 by "monolith.settings"'.replace(
            "5.2.19", asked.truth.django
        )
    ]


MADE = {
    **SHOP,
    "shop/settings.py": """
        import os
        print("nobody reads this")
        SECRET_KEY = "x"
        DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "nowhere", "HOST": "192.0.2.1"}}
        INSTALLED_APPS = [
            "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.admin", "django.contrib.messages",
            "shop.catalog", "shop.people", "shop.reviews", "shop.made.apps.Config", "shop.cards",
        ]
        AUTH_USER_MODEL = "people.User"
        CARD_MODEL = "made.Card"
        ROOT_URLCONF = "shop.urls"
        PREFIX = "v" + str(len("ab"))
        LOGGING = {"version": 1, "handlers": {"file": {"class": "logging.FileHandler", "filename": "/nowhere/log"}}}
    """,
    "shop/made/__init__.py": "",
    "shop/made/apps.py": """
        from django.apps import AppConfig

        class Config(AppConfig):
            name = "shop.made"

            def ready(self):
                from shop.made import late
    """,
    "shop/made/models.py": """
        from django.apps import apps
        from django.db import models
        from shop.catalog.models import Product

        for name in ("Red", "Blue"):
            key = models.ForeignKey(Product, models.CASCADE, related_name=name.lower() + "s")
            globals()[name] = type(name, (models.Model,), {"__module__": __name__, "product": key})

        class Dated(models.Model):
            product = models.ForeignKey(Product, models.CASCADE, related_name="%(class)ss")

            class Meta:
                abstract = True
                managed = False
                db_table = "by_hand"

        class Note(Dated):
            pass

        class Long(Note):
            text = models.TextField()

        Loaded = apps.get_registered_model("made", "Note")

        class Short(Loaded):
            class Meta(Dated.Meta):
                proxy = True
                managed = True

        class Card(models.Model):
            class Meta:
                app_label = "".join(["ma", "de"])
                db_table = "_".join(["all", "cards"])
    """,
    "shop/made/late.py": """
        from django.contrib import admin
        from django.db import OperationalError
        from django.db.models import signals
        from shop.catalog.models import Product

        try:
            Product.objects.count()
        except OperationalError:
            pass

        def changed(sender, **keywords):
            pass

        class Page(admin.ModelAdmin):
            pass

        for model, page in {Product: Page}.items():
            getattr(signals, "post_" + "save").connect(changed, sender=model)
            admin.site.register(model, page)
    """,
    "shop/cards/__init__.py": "",
    "shop/cards/models.py": """
        from django.db import models

        class Plain(models.Model):
            class Meta:
                swappable = "CARD_MODEL"
    """,
    "shop/views.py": "def page(request):\n    pass\n",
    "shop/pages.py": """
        from django.urls import path
        from shop import views
        app_name = "pages"
        urlpatterns = [path("page/<int:pk>/", views.page, name="one")]
    """,
    "shop/urls.py": """
        from django.conf import settings
        from django.conf.urls.i18n import i18n_patterns
        from django.urls import include, path
        from shop import views
        urlpatterns = [path(f"{settings.PREFIX}/", include("shop.pages", namespace="new"))]
        urlpatterns += i18n_patterns(path("about/", views.page, name="about"))
    """,
}


def test_what_is_made_at_run_time_comes_from_the_registries(tmp_path):
    root = make(tmp_path, MADE)
    asked = ask(root, "shop.settings", sys.executable)
    assert asked.truth is not None, asked.said
    found = make_map(root, Kept(None), asked=asked)
    tables = {model.label: model.table for model in found.summary.models}
    assert tables == {
        "catalog.Category": "catalog_category",
        "catalog.Product": "catalog_product",
        "made.Blue": "made_blue",
        "made.Card": "all_cards",
        "made.Long": "by_hand",
        "made.Note": "by_hand",
        "made.Red": "made_red",
        "made.Short": "by_hand",
        "people.User": "people_user",
        "reviews.Review": "reviews_review",
    }
    assert {(route.pattern, route.name, route.view) for route in found.summary.routes} == {
        ("v2/page/<pk>/", "new:one", "shop.views.page"),
        ("<language>/about/", "about", "shop.views.page"),
    }
    texts = {str(coupling) for coupling in found.couplings}
    assert texts >= {
        "shop/made/models.py:1: made.Red -> catalog.Product, foreign key (product)",
        "shop/made/models.py:1: made.Blue -> catalog.Product, foreign key (product)",
        "shop/made/late.py:11: shop.made.late.changed -> catalog.Product, signal (receives post_save)",
        "shop/made/late.py:14: shop.made.late.Page -> catalog.Product, admin",
    }
    assert not [text for text in found.differences[0].otherwise if not text.startswith("made.Card: table")]
    models, routes = map(str, found.differences)
    assert "models: 10 by the registries" in models
    assert "2 only by the registries (made.Blue, made.Red)" in models
    assert "/v2/page/<pk>/ shop.views.page" in routes
    assert not list(root.rglob("*.pyc"))
    assert not (root / "nowhere").exists()


DOES = """
    import os, socket, sqlite3, subprocess, tempfile
    from pathlib import Path
    OUT = Path(os.environ["OUTSIDE"])

    def attempt(what, *given):
        try:
            what(*given)
        except OSError:
            pass

    def database():
        sqlite3.connect(OUT / "database").execute("CREATE TABLE some (thing)")

    def linked():
        link = Path(tempfile.mkdtemp()) / "link"
        link.symlink_to(OUT)
        (link / "by-link").write_text("x")

    attempt((OUT / "written").write_text, "x")
    attempt(os.remove, OUT / "removed")
    attempt(os.rename, OUT / "before", OUT / "after")
    attempt(os.mkdir, OUT / "folder")
    attempt(os.chmod, OUT / "mode", 0o600)
    attempt(os.truncate, OUT / "mode", 0)
    attempt(subprocess.run, ["touch", OUT / "by-process"])
    attempt(os.system, f"touch {OUT}/by-shell")
    attempt(database)
    attempt(linked)
    attempt(socket.create_connection, ("127.0.0.1", int(os.environ["PORT"])))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "within").write_text("x")
    (Path.home() / "seen").write_text("x")
"""


def test_settings_that_write_start_and_call_out_do_nothing_of_it(tmp_path, monkeypatch):
    outside = tmp_path / "outside"
    outside.mkdir()
    names = ("removed", "before", "mode")

    def arrange():
        shutil.rmtree(outside)
        outside.mkdir()
        for name in names:
            (outside / name).write_text("here")
            (outside / name).chmod(0o640)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        monkeypatch.setenv("OUTSIDE", str(outside))
        monkeypatch.setenv("PORT", str(server.getsockname()[1]))
        monkeypatch.setenv("HOME", str(tmp_path))
        root = small(tmp_path / "project", DOES)
        arrange()
        asked = ask(root, "shop.settings", sys.executable)
        assert sorted(path.name for path in outside.iterdir()) == sorted(names)
        assert {(path.read_text(), path.stat().st_mode & 0o777) for path in outside.iterdir()} == {("here", 0o640)}
        with pytest.raises(BlockingIOError):
            server.accept()
        assert not (tmp_path / "seen").exists()
        assert asked.truth is not None, asked.said
        assert f'refused: shop/settings.py:7 wants to write "{outside}/written"' in asked.said
        assert len(asked.said) > 10

        # Left to itself, the same file does all of it.
        subprocess.run([sys.executable, root / "shop/settings.py"], check=True)
        after = {"written", "after", "folder", "by-process", "by-shell", "database", "by-link", "mode"}
        assert {path.name for path in outside.iterdir()} == after
        assert (outside / "mode").read_text() == ""
        server.settimeout(10)
        server.accept()[0].close()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            'import os\nKEY = os.environ["SHOP_KEY"]\n',
            '"shop.settings" needs the environment variable "SHOP_KEY" (shop/settings.py:2); set it',
        ),
        ("import nowhere.at_all\n", '"nowhere" is not installed for'),
        ("print 'two'\n", '"shop.settings" cannot be loaded (shop/settings.py:1): SyntaxError'),
        ("raise SystemExit('no key')\n", '"shop.settings" cannot be loaded (shop/settings.py:1): SystemExit: no key'),
        (
            "import os, sys\nprint('bye', file=sys.stderr)\nos._exit(3)\n",
            "ended the process before it was loaded (bye)",
        ),
        ("x = bytearray(5 << 30)\n", '"shop.settings" needs more memory than it is given (shop/settings.py:1)'),
    ],
)
def test_settings_that_cannot_be_loaded_are_said_and_the_files_are_mapped(tmp_path, settings, expected):
    text = said(tmp_path, settings)
    assert text.startswith("models and routes are from the files alone: ")
    assert expected in text


def test_settings_that_never_end_are_ended(tmp_path):
    text = said(tmp_path, "import time\nwhile True:\n    print('x' * 1000)\n    time.sleep(.01)\n", seconds=2)
    assert '"shop.settings" took longer than 2 s to load' in text


def test_url_modules_that_cannot_be_loaded_leave_the_models(tmp_path):
    root = small(tmp_path, "", {"shop/urls.py": "from shop import nothing"})
    asked = ask(root, "shop.settings", sys.executable)
    assert asked.truth is not None
    assert asked.truth.routes is None
    assert "routes are from the files alone" in asked.said[1]
    assert "(shop/urls.py:1): ImportError" in asked.said[1]


def test_an_interpreter_that_is_none_or_has_no_django_is_said(tmp_path):
    root = small(tmp_path, "")
    assert '"/no/python" cannot be started' in ask(root, "shop.settings", "/no/python").said[0]
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E "$@"\n')
    bare.chmod(0o755)
    asked = ask(root, "shop.settings", str(bare))
    assert f'Django is not installed for "{bare}"' in asked.said[0]


def test_an_answer_that_is_made_up_is_not_believed(tmp_path):
    # A hostile project may find the descriptor that the answer goes to.
    settings = """
        import os
        for number in range(3, 20):
            try:
                os.write(number, b'{"models": 1}')
            except OSError:
                pass
        os._exit(0)
    """
    assert "models and routes are from the files alone" in said(tmp_path, settings)
    for wrong in (
        {},
        {"django": "5", "user": "a.B", "apps": 3},
        {"django": "5", "user": "u", "apps": [], "models": [1]},
    ):
        with pytest.raises(ValueError, match="no registries"):
            parse(wrong)


@pytest.mark.parametrize("folder", ["", "src/"])
def test_settings_are_those_of_the_environment_or_of_manage_py(tmp_path, folder):
    root = make(
        tmp_path,
        {
            f"{folder}manage.py": """
                import os
                os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.conf.dev")
                os.environ.setdefault("DJANGO_CONFIGURATION", "Dev")
            """,
            f"{folder}shop/wsgi.py": 'os.environ["DJANGO_SETTINGS_MODULE"] = "shop.conf.live"',
        },
    )
    start = find_start(root, "", {})
    assert (start.settings, start.configuration) == ("shop.conf.dev", "Dev")
    assert start.folders[0] == str(root / folder.rstrip("/"))
    assert find_start(root, "", {"DJANGO_SETTINGS_MODULE": "shop.conf.test"}).settings == "shop.conf.test"
    assert find_start(root, "other", {"DJANGO_SETTINGS_MODULE": "shop.conf.test"}).settings == "other"


def test_without_a_name_for_the_settings_the_way_to_give_one_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    root = make(tmp_path, {"shop/models.py": ""})
    assert "--import-settings shop.settings" in ask(root, "", sys.executable).said[0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"type": "ModuleNotFoundError", "name": "shop"}, 'there is no module "shop" for the settings "shop.settings"'),
        ({"type": "ModuleNotFoundError", "name": "shoplib"}, '"shoplib" is not installed for "python"'),
        (
            {"type": "ImproperlyConfigured", "message": "Set SHOP_URL", "at": "shop/settings.py:2"},
            '"shop.settings" is incomplete (shop/settings.py:2): Set SHOP_URL',
        ),
        (
            {"type": "Refused", "message": 'not allowed here: to write "/a"', "at": "shop/settings.py:3"},
            'this is not allowed while settings are loaded: to write "/a" (shop/settings.py:3)',
        ),
        ({"type": "KeyError", "message": "'name'"}, "\"shop.settings\" cannot be loaded: KeyError: 'name'"),
    ],
)
def test_a_failure_is_told_with_what_to_set(error, expected):
    start = Start(settings="shop.settings", configuration="", folders=())
    assert sentence({"stage": "settings", **error}, start, "python").startswith(expected)


def test_the_command_runs_settings_with_consent_alone(tmp_path, capsys, monkeypatch):
    mark = tmp_path / "mark"
    monkeypatch.setenv("MARK", str(mark))
    root = small(tmp_path / "project", "import os\nopen(os.environ['MARK'], 'w')\n")
    assert main(["map", str(root), "--anew"]) == 0
    assert "models and routes are from the files alone; --import-settings asks" in capsys.readouterr().out
    assert main(["map", str(root), "--anew", "--import-settings", "shop.settings"]) == 0
    assert f'not allowed while settings are loaded: to write "{mark}" (shop/settings.py:2)' in capsys.readouterr().out
    assert not mark.exists()


def test_what_the_project_runs_is_plain_python():
    for path in (Path(asking.__file__).parent / "probe").glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 8))
        names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name for name in names if name.startswith("strangler")}
