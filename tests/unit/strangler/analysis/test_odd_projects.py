"""Projects as they come: odd layouts, broken files, others' code inside, nonsense. Each gives a map, or a sentence."""

import keyword
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strangler.analysis.graph import graph_of
from strangler.analysis.kept import Kept
from strangler.analysis.mapping import make_map
from strangler.analysis.routes import whole_routes
from strangler.analysis.seams import find_seams
from strangler.analysis.showing import as_text
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make

KEY = "reviews.Review -> catalog.Product, foreign key (product)"
USER = "reviews.Review -> people.User, foreign key (author)"
APPS = {"catalog", "people", "reviews"}
LIBRARY = "from django.db import models\nclass Book(models.Model):\n    name = models.CharField()\n"


def moved(prefix="", package="shop", without=()):
    """The shop elsewhere, or under another name, without some of its files."""
    files = {path.replace("shop/", f"{prefix}{package}/" if package else prefix): text for path, text in SHOP.items()}
    files = {path: text.replace("shop.", f"{package}." if package else "") for path, text in files.items()}
    return {path: text for path, text in files.items() if not path.endswith(tuple(without) or ("\0",))}


LAYOUTS = {
    "the project at the root": (moved(), APPS, {KEY, USER}),
    "a folder src": (moved("src/"), APPS, {KEY, USER}),
    "a folder of apps that is a package": (
        {"project/__init__.py": "", **moved("project/", "apps")},
        APPS,
        {KEY, USER},
    ),
    "manage.py in a folder, packages without __init__.py": (
        {
            **moved("backend/", without=("__init__.py",)),
            "backend/manage.py": "",
            "backend/shop/reviews/views.py": "from shop.catalog.models import Product",
        },
        APPS,
        {KEY, USER, "shop.reviews.views -> shop.catalog.models, import (Product)"},
    ),
    "apps beside manage.py, without a package around them": (
        {
            **moved("", "", without=("__init__.py",)),
            "manage.py": "",
            "reviews/views.py": "from catalog.models import Product",
        },
        APPS,
        {KEY, USER, "reviews.views -> catalog.models, import (Product)"},
    ),
    "a folder of apps that is on the path, scripts beside it": (
        {
            **moved("lib/", "", without=("__init__.py",)),
            "lib/reviews/views.py": "from catalog.models import Product",
            "scripts/tool.py": "from helper import help\nfrom catalog.models import Category",
            "scripts/helper.py": "def help(): pass",
        },
        APPS,
        {
            KEY,
            USER,
            "lib.reviews.views -> lib.catalog.models, import (Product)",
            "scripts.tool -> lib.catalog.models, import (Category)",
        },
    ),
    "settings in a package, lists put together": (
        {
            **moved(),
            "shop/settings.py": None,
            "shop/settings/__init__.py": "",
            "shop/settings/base.py": """
                import environ
                env = environ.Env()
                AUTH_USER_MODEL = env("USER_MODEL", default="people.User")
                DJANGO_APPS = ["django.contrib.auth"]
                LOCAL_APPS = ["shop.pages.apps.PagesConfig"]
                INSTALLED_APPS = DJANGO_APPS + LOCAL_APPS
                INSTALLED_APPS += ["shop.search"]
                INSTALLED_APPS.append("shop.gone")
            """,
            "shop/settings/dev.py": 'from .base import *\nINSTALLED_APPS += ("shop.tools",)\n',
            "shop/search/__init__.py": "",
            "shop/search/find.py": "from shop.catalog.models import Product",
            "shop/tools/__init__.py": "",
            "shop/pages/__init__.py": "",
            "shop/pages/apps.py": """
                from django.apps import AppConfig
                class PagesConfig(AppConfig):
                    name = "shop.pages"
                    label = "cms"
            """,
        },
        {*APPS, "cms", "search", "tools"},
        {KEY, USER, "shop.search.find -> shop.catalog.models, import (Product)"},
    ),
    "settings as classes": (
        {
            **moved(),
            "shop/settings.py": """
                from configurations import Configuration
                class Base(Configuration):
                    AUTH_USER_MODEL = "people.User"
                    INSTALLED_APPS = ["shop.search"]
                class Dev(Base):
                    DEBUG = True
            """,
            "shop/search/__init__.py": "",
        },
        {*APPS, "search"},
        {KEY, USER},
    ),
    "several databases": (
        {
            **moved(),
            "shop/routers.py": """
                class Router:
                    def db_for_read(self, model, **hints):
                        return "other" if model._meta.app_label == "reviews" else None
            """,
            "shop/reviews/views.py": """
                from shop.catalog.models import Product
                def names():
                    return Product.objects.using("other").filter(reviews__rating=5)
            """,
        },
        APPS,
        {KEY, USER, "catalog.Product -> reviews.Review, join (filter: reviews__rating)"},
    ),
    "Django's own users, whom no key refers to": (
        {
            "shop/__init__.py": "",
            "shop/catalog/__init__.py": "",
            "shop/catalog/models.py": LIBRARY.replace("Book", "Product"),
            "shop/catalog/views.py": "def page(request):\n    return request.user.pk, request.user.groups.first()\n",
        },
        {"catalog"},
        set(),
    ),
    "a model that is swapped for another": (
        {
            **moved(),
            "shop/cards/__init__.py": "",
            "shop/cards/models.py": """
                from django.db import models
                from shop.catalog.models import Product
                class Card(models.Model):
                    product = models.ForeignKey(Product, models.CASCADE)
                    class Meta:
                        swappable = "SHOP_CARD"
            """,
            "shop/settings.py": 'AUTH_USER_MODEL = "people.User"\nSHOP_CARD = "reviews.Review"\n',
        },
        {*APPS, "cards"},
        {KEY, USER},
    ),
    "templates of Jinja2": (
        {
            **moved(),
            "shop/catalog/urls.py": """
                from django.urls import path
                from shop.catalog import views
                urlpatterns = [path("", views.page, name="home")]
            """,
            "shop/catalog/views.py": "def page(request): pass",
            "shop/catalog/jinja2/catalog/base.jinja2": "",
            "shop/catalog/jinja2/catalog/macros.j2": "",
            "shop/reviews/jinja2/reviews/one.jinja2": """
                {%- extends 'catalog/base.jinja2' -%}
                {% from "catalog/macros.j2" import star %}
                {{ star(1) }} <a href="{{ url('home') }}">
            """,
        },
        APPS,
        {
            KEY,
            USER,
            "shop/reviews/jinja2/reviews/one.jinja2 -> catalog/base.jinja2, template",
            "shop/reviews/jinja2/reviews/one.jinja2 -> catalog/macros.j2, template",
            "shop/reviews/jinja2/reviews/one.jinja2 -> home, url",
        },
    ),
    "others' code inside": (
        {
            **moved(),
            "node_modules/lib/models.py": LIBRARY,
            "environment/bin/activate": "",
            "environment/lib/python3.8/lib/models.py": LIBRARY,
            "other/pyvenv.cfg": "",
            "other/lib/models.py": LIBRARY,
            "build/lib/models.py": LIBRARY,
            ".hidden/lib/models.py": LIBRARY,
            "vendor/django/db/models/base.py": "class Model: pass",
            "vendor/django/contrib/auth/models.py": LIBRARY,
            "notebooks/look.ipynb": '{"cells": [{"source": ["from shop.catalog.models import Product"]}]}',
        },
        APPS,
        {KEY, USER},
    ),
    "apps that are called like folders of tools": (
        {
            **moved(),
            "shop/build/__init__.py": "",
            "shop/build/models.py": LIBRARY,
            "shop/dist/__init__.py": "",
            "shop/dist/views.py": "from shop.build.models import Book",
        },
        {*APPS, "build"},
        {KEY, USER, "shop.dist.views -> shop.build.models, import (Book)"},
    ),
    "apps that import and inherit in circles": (
        {
            **moved(),
            "shop/catalog/views.py": """
                from shop.reviews.views import *
                from shop.reviews.views import A
                class B(A): pass
            """,
            "shop/reviews/views.py": """
                from shop.catalog.views import *
                from shop.catalog.views import B
                class A(B, A.C): pass
            """,
            "shop/catalog/names.py": "a = b\nb = a\nfrom shop.reviews.names import c as d\nclass D(D.E.F): pass\n",
            "shop/reviews/names.py": "from shop.catalog.names import d as c\nx = x.y\n",
        },
        APPS,
        {KEY, USER, "shop.catalog.views.B -> shop.reviews.views.A, inheritance (class)"},
    ),
    "two projects in one folder": (
        {
            "one/manage.py": "",
            "one/core/__init__.py": "",
            "one/core/models.py": LIBRARY,
            "two/manage.py": "",
            "two/core/__init__.py": "",
            "two/core/models.py": LIBRARY.replace("Book", "Bottle"),
        },
        {"core", "two.core"},
        set(),
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_an_odd_layout_is_understood(tmp_path, name):
    files, apps, edges = LAYOUTS[name]
    made = make_map(make(tmp_path, {path: text for path, text in files.items() if text is not None}), Kept(None))
    assert {app.label for app in made.summary.apps} == apps
    found = {str(coupling).partition(": ")[2] for coupling in made.couplings}
    assert edges <= found
    assert {edge for edge in found if "foreign key" in edge} == {edge for edge in edges if "foreign key" in edge}
    assert not {model.label for model in made.summary.models if "Book" in model.label} - {"build.Book", "core.Book"}
    assert made.unread == ()


BROKEN = {
    "Python 2": ("shop/old.py", b"print 'two'\n", "shop/old.py cannot be read (line 1: Missing parentheses"),
    "exceptions of Python 2": (
        "shop/old.py",
        b"try:\n  pass\nexcept A, e:\n  pass\n",
        "line 3: multiple exception types",
    ),
    "another encoding": ("shop/latin.py", "name = 'Käse'\n".encode("latin-1"), "shop/latin.py cannot be read"),
    "an encoding that there is not": ("shop/odd.py", b"# coding: nowhere\n", "unknown encoding"),
    "bytes": ("shop/bytes.py", b"\xff\xfe\x00\x01", "shop/bytes.py cannot be read"),
    "brackets without end": ("shop/deep.py", b"(" * 10_000, "shop/deep.py cannot be read"),
    "minus signs without end": ("shop/minus.py", b"-" * 100_000 + b"1", "shop/minus.py cannot be read"),
    "a sum of ten thousand": ("shop/sum.py", b"x = " + b" + ".join([b"1"] * 10_000), "shop/sum.py cannot be read"),
    "a huge file": ("shop/huge.py", b"x = 1\n" * 1_000_000, "shop/huge.py has 5 MB and was left out as generated"),
    "a huge template": (
        "shop/catalog/templates/huge.html",
        b"<p>\n" * 2_000_000,
        "shop/catalog/templates/huge.html has 7 MB and was left out",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_makes_the_map_partial_and_the_rest_is_mapped(tmp_path, name):
    path, content, sentence = BROKEN[name]
    root = make(tmp_path, SHOP)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)
    made = make_map(root, Kept(None))
    assert [sentence in one for one in made.unread] == [True]
    assert {KEY, USER} == {str(coupling).partition(": ")[2] for coupling in made.couplings}
    assert any(line.startswith("partial: ") for line in as_text(made, made.couplings))


def test_links_lead_neither_round_in_circles_nor_out_of_the_project(tmp_path):
    root = make(tmp_path / "project", SHOP)
    make(tmp_path, {"elsewhere.py": "from shop.catalog.models import Product"})
    (root / "shop/reviews/loop").symlink_to(root, target_is_directory=True)
    (root / "shop/reviews/a.py").symlink_to(root / "shop/reviews/b.py")
    (root / "shop/reviews/b.py").symlink_to(root / "shop/reviews/a.py")
    (root / "shop/reviews/gone.py").symlink_to(root / "nowhere.py")
    (root / "shop/reviews/out.py").symlink_to(tmp_path / "elsewhere.py")
    (root / "shop/reviews/endless.py").symlink_to("/dev/zero")
    (root / "shop/reviews/kernel.py").symlink_to("/proc/kmsg")
    os.mkfifo(root / "shop/reviews/pipe.py")
    made = make_map(root, Kept(None))
    assert {KEY, USER} == {str(coupling).partition(": ")[2] for coupling in made.couplings}
    assert "shop/reviews/out.py is a link to somewhere else, and was left out" in made.unread
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert main(["map", str(tmp_path / "round")]) == 1


@contextmanager
def nobody():
    """As somebody who may not read everything; the tests may run as one who may."""
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)


def test_what_may_not_be_read_is_said_and_the_rest_is_mapped():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # which others may enter
        root = make(Path(folder), SHOP)
        root.chmod(0o755)
        make(root, {"shop/secret/models.py": LIBRARY, "shop/reviews/keys.py": ""})
        for path in ("shop/secret", "shop/reviews/keys.py"):
            (root / path).chmod(0)
        with nobody():
            made = make_map(root, Kept(None))
        (root / "shop/secret").chmod(0o755)
    assert made.unread == (
        "shop/secret cannot be read (Permission denied)",
        "shop/reviews/keys.py cannot be read (Permission denied)",
    )
    assert {KEY, USER} == {str(coupling).partition(": ")[2] for coupling in made.couplings}


def test_a_name_that_is_no_text_is_left_out(tmp_path):
    root = make(tmp_path, SHOP)
    (root / os.fsdecode(b"shop/\xff.py")).write_text("x = 1")
    assert make_map(root, Kept(None)).unread == ("shop/\\xff.py has a name that is no text, and was left out",)


COMMANDS = (
    ["map"],
    ["map", "--json"],
    ["propose"],
    ["makeplan", "reviews"],
    ["contracts", "c.json"],
    ["report", "r.html"],
    ["blast", "--project"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"a/readme.txt": "text"}, "a"),
        ({"a/manage.py": ""}, "a/manage.py"),
        ({}, "nowhere"),
        ({"a/tool.py": "import os\nprint(os.getcwd())\n"}, "a"),
        ({"a/old.py": "print 'two'"}, "a"),
    ],
    ids=["no Python", "a file", "nothing", "no Django", "all broken"],
)
def test_what_is_no_project_of_django_gets_a_sentence(tmp_path, capsys, monkeypatch, command, files, path):
    monkeypatch.chdir(tmp_path)
    make(tmp_path, files)
    end = main([*command, path, "--anew"])
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    if end == 1:
        assert all(line.startswith("strangler: ") for line in err.splitlines())
        assert err.count("\n") == 1 + ("the map is partial" in err)
    else:
        assert out
    if command == ["map"] and end == 0:
        assert "no app of Django's was found" in out


def test_every_command_says_that_its_map_is_partial(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "a", {**SHOP, "shop/old.py": "print 'two'"})
    for command in (["propose"], ["makeplan", "reviews"], ["contracts", "c.json"], ["report", "r.html"], ["map"]):
        more = ["--write", "reviews"] if command[0] == "contracts" else []
        assert main([*command, "a", "--anew", *more]) == 0
        out, err = capsys.readouterr()
        said = 'the map is partial: 1 files were left out; "strangler map" names them'
        assert said in err or "partial: shop/old.py cannot be read" in out


def test_generated_files_of_a_megabyte_are_read(tmp_path):
    texts = {
        "shop/reviews/data.py": "DATA = [\n" + f"    '{'x' * 100}',\n" * 9_500 + "]\n",
        "shop/reviews/statements.py": "QUERIES = '''" + "select " * 150_000 + "'''\n",
        "shop/reviews/templates/reviews/tags.html": "{% url " * 150_000,
        "shop/reviews/templates/reviews/ends.html": "}}" * 500_000,
        "shop/reviews/templates/reviews/lines.html": ("{% include 'catalog/one.html' %}" + " " * 1000 + "\n") * 1000,
        "shop/reviews/urls.py": "from django.urls import re_path\nurlpatterns = [re_path(r'(?P<a>"
        + "[x]" * 330_000
        + "', views.one)]\n",
    }
    assert all(900_000 < len(text) < 1_100_000 for text in texts.values())
    made = make_map(make(tmp_path, {**SHOP, "shop/catalog/templates/catalog/one.html": "", **texts}), Kept(None))
    assert made.unread == ()
    lines = [coupling.line for coupling in made.couplings if coupling.path.endswith("lines.html")]
    assert lines == list(range(1, 1001))
    assert {KEY, USER} <= {str(coupling).partition(": ")[2] for coupling in made.couplings}
    whole_routes(made.summary.routes)


WORDS = """
    class def import from Model models.Model Meta : ( ) [ ] { } , . = \\n \\t "a.B" 'select*from(t)' f"{x}" objects
    save() @receiver(post_save) path("x/", include("y")) router.register("a", V) lambda if else for in while try
    except filter A B self super() 1 -1 None ForeignKey("self") related_name="+" through= abstract=True app_label *
    ** := ... 99999999999999999999 b'x' \\ud800 (?P<a>[x][x][x][x][x][x] **/**/**/ *a*a*a*a*a* {% url {% %} {{ }} %}
"""
TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS.split()), max_size=60).map(" ".join))
NONSENSE = st.one_of(st.binary(max_size=200), TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
MODEL = "from django.db import models\nfrom shop.catalog.models import Product\n"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    source=NONSENSE, more=TEXTS, template=NONSENSE, owners=NONSENSE, name=st.sampled_from(["models", "urls", "views"])
)
def test_nonsense_gives_a_map(source, more, template, owners, name):
    with tempfile.TemporaryDirectory() as folder:
        root = make(Path(folder), SHOP)
        (root / "shop/reviews/templates/reviews").mkdir(parents=True)
        (root / "shop/reviews/templates/reviews/one.html").write_bytes(template)
        (root / "CODEOWNERS").write_bytes(owners)
        (root / f"shop/reviews/{name}.py").write_bytes(MODEL.encode() + source)
        for line in more.splitlines():  # each for itself, so that most are Python
            with (root / "shop/people/lines.py").open("a", encoding="utf-8", errors="replace") as file:
                file.write(f"try:\n    {line.strip()}\nexcept A: pass\n")
        made = make_map(root, Kept(None))
        assert {app.label for app in made.summary.apps} >= {"catalog", "people"}
        list(as_text(made, made.couplings))
        find_seams(graph_of(made))


ORCHARD = Path(__file__).parents[4] / "monolith"
FILES = {
    path.relative_to(ORCHARD.parent).as_posix(): path.read_text()
    for app in ("catalog", "reviews")
    for path in sorted((ORCHARD / app).rglob("*.py"))
    if "migrations" not in path.parts and "tests" not in path.parts
}
NAMES = sorted({name for text in FILES.values() for name in re.findall(r"[A-Za-z_]{3,}", text)} - {*keyword.kwlist})


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES), min_size=5, max_size=60))
def test_real_files_in_which_names_are_exchanged_give_a_map(names):
    exchanged = re.compile(rf"\b({'|'.join(names)})\b")
    with tempfile.TemporaryDirectory() as folder:
        for path, text in FILES.items():
            (Path(folder) / path).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / path).write_text(exchanged.sub(lambda found: names[found[0]], text))
        made = make_map(Path(folder), Kept(None))
        assert len(made.summary.modules) + len(made.unread) == len(FILES)
        list(as_text(made, made.couplings))
        find_seams(graph_of(made))
