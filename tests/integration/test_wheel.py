"""The toolkit as somebody else installs it: a wheel, an empty environment, a new project."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from strangler.workshop.lessons.files import lay, tree_of

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).parent / "uv"
OURS = {"strangler", "strangler_proxy"}


def run(*command, cwd, **environment):
    # Nothing of this tree may leak in.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO", "VIRTUAL"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """(python of an environment with the wheel alone, a directory with a new project that uses it)."""
    home = tmp_path_factory.mktemp("wheel")
    source = home / "source"
    source.mkdir()
    lay(source, tree_of(ROOT))  # what an earlier build left beside it would be in the wheel as well
    run(UV, "build", "--quiet", "--wheel", "--out-dir", home / "dist", source, cwd=home)
    run(UV, "venv", "--quiet", "--python", sys.executable, home / "venv", cwd=home)
    python = home / "venv" / "bin" / "python"
    [wheel] = (home / "dist").glob("*.whl")
    run(UV, "pip", "install", "--quiet", "--python", python, wheel, cwd=home)
    (home / "work").mkdir()
    run(python, "-m", "django", "startproject", "shop", home / "work", cwd=home)
    with (home / "work" / "shop" / "settings.py").open("a") as settings:
        settings.write(
            "\nINSTALLED_APPS.append('strangler')\nMIDDLEWARE.append('strangler.middleware.StranglerMiddleware')\n"
        )
    return python, home / "work"


def test_it_works_in_a_new_project(project):
    python, work = project
    run(python, "manage.py", "check", cwd=work)
    run(python, "manage.py", "startapp", "notes", cwd=work)
    (work / "notes" / "models.py").write_text(
        "from django.db import models\nclass Note(models.Model):\n    text = models.TextField()\n"
    )
    with (work / "shop" / "settings.py").open("a") as settings:
        settings.write("\nINSTALLED_APPS.append('notes')\n")
    plan = work / "migration_plans" / "0001_notes" / "plan.py"
    plan.parent.mkdir(parents=True)
    plan.write_text(
        "from strangler import plans\nfrom strangler.plans.operations import MoveRoutes, MoveTables\n"
        "class Plan(plans.Plan):\n    service = 'notes'\n"
        "    operations = [MoveTables(['notes.Note']), MoveRoutes(['/notes/'])]\n"
    )
    assert "1 plan, nothing to complain about" in run(python, "manage.py", "checkplans", cwd=work)
    assert "[ ] 1. Move tables notes.Note" in run(python, "manage.py", "showplans", cwd=work)


def test_it_brings_neither_mitmproxy_nor_generic_names(project):
    python, work = project
    script = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(run(python, "-c", script, cwd=work).strip())
    names = {path.name for path in packages.iterdir() if path.is_dir() and not path.name.endswith(".dist-info")}
    assert names >= OURS
    assert names.isdisjoint({"mitmproxy", "tests", "proxy", "monolith", "extracted", "migration_plans", "docs"})
    assert (packages / "strangler" / "split" / "postgres" / "schema.sql").exists()
    engines = {path.name for path in (packages / "strangler" / "rollout" / "engines").iterdir()}
    assert engines >= {"haproxy.lua", "haproxy.cfg"}
    dashboard = packages / "strangler" / "dashboard"
    assert {path.name for path in (dashboard / "assets").iterdir()} == {"dashboard.css", "dashboard.js"}
    assert (dashboard / "templates" / "page.html").exists()
    assert not any((packages / "strangler" / room).exists() for room in ("workshop", "compare"))
    assert (packages / "strangler" / "py.typed").exists()


def test_the_map_says_which_extra_it_needs(project):
    python, work = project
    app = work / "reports"
    app.mkdir()
    (app / "apps.py").write_text("from django.apps import AppConfig\nclass Reports(AppConfig):\n    name = 'reports'\n")
    (app / "queries.py").write_text("def rows(cursor):\n    cursor.execute('SELECT text FROM notes_note')\n")
    command = [python.parent / "strangler", "map", work]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == 'strangler: sqlglot is not installed; run: pip install "django-strangler[map]"\n'


def test_the_status_in_a_terminal_says_so_too_and_who_has_no_project_is_told(project):
    python, work = project
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DJANGO"))}

    def said(*words, cwd=work):
        command = [python.parent / "strangler", *words]
        done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return done.stderr

    assert said("status") == 'strangler: rich is not installed; run: pip install "django-strangler[terminal]"\n'
    assert said("dashboard", "--user", "ada") == (
        "strangler: the project's users cannot be read: no such table: auth_user\n"
    )
    (work / "other").mkdir()
    (work / "other" / "script.py").touch()
    assert said("status", cwd=work / "other") == (
        "strangler: no manage.py here says which settings the project has; name them with --settings\n"
    )
    assert said("status", "--settings", "not.there") == (
        "strangler: the settings \"not.there\" cannot be loaded: No module named 'not'\n"
    )
