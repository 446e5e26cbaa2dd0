"""A plan that cannot be right is refused by the commands: one sentence, exit status 1, and nothing changed."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]
PLAN = """
from strangler import plans
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables

CUTS = [
    CutForeignKey(f"reviews.{{model}}.{{field}}", keep=f"{{field}}_id", migration="0002_cut_foreign_keys")
    for model, field in (("Review", "product"), ("Review", "author"), ("Vote", "voter"))
]
TABLES = MoveTables(["reviews.Review", "reviews.Vote"])

class Plan(plans.Plan):
    service = "reviews"
    dependencies = {dependencies}
    operations = {operations}
"""


def plan(operations, *dependencies):
    return PLAN.format(operations=operations, dependencies=list(dependencies))


REVIEWS = plan("[*CUTS, TABLES, MoveRoutes(['/api/reviews/'])]")
SAME_ROUTE = plan("[MoveTables(['monitoring.RouteMinute']), MoveRoutes(['/api/reviews/'])]", "0001_a")
CASES = {
    "an unknown model": ({"0001_a": plan("[MoveTables(['reviews.Nothing'])]")}, "Nothing"),
    "a cycle": (
        {"0001_a": plan("[*CUTS, TABLES]", "0002_b"), "0002_b": plan("[MoveTables(['events.Event'])]", "0001_a")},
        "0002_b",
    ),
    "a route of two owners": ({"0001_a": REVIEWS, "0002_b": SAME_ROUTE}, "/api/reviews/"),
    "overlapping prefixes": (
        {"0001_a": plan("[*CUTS, TABLES, MoveRoutes(['/api/reviews/', '/api/reviews/votes/'])]")},
        "/api/reviews/votes/",
    ),
    "a table that has moved": (
        {"0001_a": REVIEWS, "0002_b": plan("[MoveTables(['reviews.Review'])]", "0001_a")},
        "has moved already",
    ),
}


@pytest.mark.parametrize("command", [("checkplans",), ("applyplan", "0001")], ids=" ".join)
@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_before_the_first_effect(tmp_path, source_dsn, target_dsn, case, command):
    plans, word = CASES[case]
    for name, text in plans.items():
        (tmp_path / "plans" / name).mkdir(parents=True)
        (tmp_path / "plans" / name / "plan.py").write_text(text)
    (tmp_path / "other_plans.py").write_text(
        "from pathlib import Path\nfrom monolith.settings import *\n"
        f"STRANGLER['PLANS'] = Path({str(tmp_path / 'plans')!r})\n"
        f"STRANGLER['RECORDS'] = Path({str(tmp_path / 'rec')!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "proxy"))),
            "DJANGO_SETTINGS_MODULE": "other_plans",
            "ORCHARD_DEBUG": "1",
            "ORCHARD_DATABASE_URL": source_dsn,
            "STRANGLER_SOURCE_DSN": source_dsn,
            "STRANGLER_REVIEWS_DSN": target_dsn,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for dsn in (source_dsn, target_dsn):
        with psycopg.connect(dsn) as connection:
            assert connection.execute("SELECT to_regnamespace('strangler')").fetchone() == (None,)
    assert not (tmp_path / "rec").exists()
