"""The commands from outside: what they print, and one sentence for whatever is wrong."""

import json
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from strangler.management.command import StranglerCommand
from strangler.plans.loader import load_plan
from strangler.plans.recorder import PlanRecorder
from strangler.plans.standing import Event

NOWHERE = "postgresql://ada:lovelace@127.0.0.1:1/shop"
PLAN = """
from strangler import plans
from strangler.plans.operations import CutForeignKey, MoveRoutes, MoveTables, ReplicateTable

CUTS = [
    CutForeignKey("reviews.Review.product", keep="product_id", migration="0002_cut_foreign_keys"),
    CutForeignKey("reviews.Review.author", keep="author_id", migration="0002_cut_foreign_keys"),
    CutForeignKey("reviews.Vote.voter", keep="voter_id", migration="0002_cut_foreign_keys"),
]

class Plan(plans.Plan):
    service = "reviews"
    dependencies = []
    operations = [*CUTS, MoveTables(["reviews.Review", "reviews.Vote"]), MoveRoutes(["/api/reviews/"])]
"""
OTHER = """
from strangler import plans
from strangler.plans.operations import MoveRoutes, MoveTables

class Plan(plans.Plan):
    service = "reviews"
    dependencies = []
    operations = [MoveTables(["reviews.Cursor"]), MoveRoutes(["/api/cursors/"])]
"""
RETIRED = """
from strangler import plans
from strangler.plans.operations import RetireCode

class Plan(plans.Plan):
    service = "search"
    operations = [RetireCode(["shop.{}"])]
"""


@pytest.fixture
def toolkit(settings, tmp_path):
    """Settings of a toolkit that knows one plan and reaches nothing."""
    settings.STRANGLER = {
        "PLANS": tmp_path / "plans",
        "RECORDS": tmp_path / "records",
        "SOURCE_DSN": NOWHERE,
        "SERVICES": {"reviews": {"DSN": NOWHERE, "UPSTREAM": "http://127.0.0.1:1"}},
        "MONOLITH_UPSTREAM": "http://127.0.0.1:2",
        "PROXIES": ["http://127.0.0.1:1"],
        "PROXY_TOKEN": "t0ken",
    }
    write(tmp_path, "0001_reviews", PLAN)
    return tmp_path


def write(directory, name, text):
    folder = directory / "plans" / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.py").write_text(text)


def record(directory, *events, name="0001_reviews"):
    """Append to the record what an executor would, of the plan file as it is now."""
    (plan,) = load_plan(directory / "plans" / name)
    recorder = PlanRecorder(plan.record_path(directory / "records"), name, who="ada")
    for index, event in events:
        digest, operation = plan.digest(index + 1), plan.operations[index].describe()
        recorder.append(event, plan_hash=digest, index=index, operation=operation, direction="forwards", facts={})
    return recorder


def run(*arguments, **options):
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_showplans_marks_what_is_applied_half_done_and_open(toolkit):
    record(toolkit, (0, Event.STARTED), (0, Event.DONE), (1, Event.STARTED))
    printed = run("showplans").splitlines()
    assert printed[0] == "0001_reviews (reviews)"
    assert [line[1:4] for line in printed[1:]] == ["[X]", "[~]", "[ ]", "[ ]", "[ ]"]
    (plan,) = json.loads(run("showplans", "--json"))
    assert [operation["state"] for operation in plan["operations"]] == ["applied", "half done", *["open"] * 3]


def test_checkplans_has_nothing_to_complain_about(toolkit):
    assert run("checkplans") == "1 plan, nothing to complain about.\n"


def test_showplans_tells_one_plan_alone(toolkit):
    write(toolkit, "0002_other", OTHER.replace("reviews.Cursor", "monitoring.RouteMinute"))
    assert [line for line in run("showplans", "0002").splitlines() if line[0] != " "] == ["0002_other (reviews)"]
    assert [plan["plan"] for plan in json.loads(run("showplans", "0001", json=True))] == ["0001_reviews"]


def test_showplans_draws_all_plans(toolkit):
    other = OTHER.replace("reviews.Cursor", "monitoring.RouteMinute").replace("[]", '["0001_reviews"]', 1)
    write(toolkit, "0002_other", other)
    assert "    p0001_reviews --> p0002_other" in run("showplans", "--mermaid").splitlines()
    picture = ElementTree.fromstring(run("showplans", "--svg"))
    assert len(list(picture.iter("{http://www.w3.org/2000/svg}path"))) == 1


def test_showplans_writes_the_page_of_one_record(toolkit):
    record(toolkit, (0, Event.STARTED), (0, Event.DONE))
    page = run("showplans", "0001", "--html")
    assert page.startswith("<!DOCTYPE html>")
    assert "Cut foreign key reviews.Review.product, keep product_id" in page
    with pytest.raises(CommandError, match=r'name one plan, such as "manage.py showplans 0001_reviews --html"'):
        run("showplans", "--html")


def test_an_edit_of_what_is_applied_is_noticed_by_showplans_and_checkplans(toolkit):
    record(toolkit, (0, Event.STARTED), (0, Event.DONE), (1, Event.STARTED), (1, Event.DONE))
    write(toolkit, "0001_reviews", "# A comment is no edit.\n" + PLAN.replace("/api/reviews/", "/api/new/"))
    assert run("checkplans") == "1 plan, nothing to complain about.\n"
    edited = PLAN.replace('keep="author_id", migration="0002_', 'keep="author_id", migration="0003_')
    write(toolkit, "0001_reviews", edited)
    sentence = 'plan "0001_reviews" was changed at or before operation 2 after that was applied; restore its file'
    assert f" [!] {sentence}" in run("showplans")
    assert json.loads(run("showplans", json=True))[0]["problems"][0].startswith(sentence)
    assert "2 of 5: damaged" in run("showplans", "--svg")
    for command in (("checkplans",), ("sqlplan", "0001")):
        with pytest.raises(CommandError, match=sentence):
            run(*command)


def test_a_record_that_was_tampered_with_is_told_in_full_and_refused(toolkit):
    recorder = record(toolkit, (0, Event.STARTED), (0, Event.DONE), (1, Event.STARTED), (1, Event.DONE))
    one, two, three, four = recorder.path.read_text().splitlines(keepends=True)
    recorder.path.write_text(one + two.replace("ada", "eve") + four)
    with pytest.raises(CommandError, match=r"line 2, was changed after it was written; restore .*\n.*line 3, follows"):
        run("checkplans")
    printed = run("showplans")
    assert printed.count(" [?] ") == 5
    assert printed.count(" [!] ") == 2
    assert "Not to be relied on" in run("showplans", "0001", html=True)
    for command in ("sqlplan", "applyplan"):
        with pytest.raises(CommandError, match="line 2, was changed after it was written"):
            run(command, "0001")
    recorder.path.write_text(one + two + three + four)
    assert run("checkplans") == "1 plan, nothing to complain about.\n"


def test_squashplans_leaves_one_folder_and_everything_applied(toolkit):
    for name in ("0002_search", "0003_mail"):
        write(toolkit, name, RETIRED.format(name))
        record(toolkit, (0, Event.STARTED), (0, Event.DONE), name=name)
    folder = toolkit / "plans" / "0002_squashed_0003_mail"
    assert run("squashplans", "0002", "0003").startswith(f"Wrote {folder / 'plan.py'}; the folders of 0002_search")
    assert sorted(path.name for path in (toolkit / "plans").iterdir()) == ["0001_reviews", "0002_squashed_0003_mail"]
    assert run("showplans", "0002_search") == (
        "0002_search (search): all 1 operations applied, squashed into 0002_squashed_0003_mail\n"
    )
    assert run("checkplans") == "3 plans, nothing to complain about.\n"
    with pytest.raises(CommandError, match='plan "0001_reviews" is not over'):
        run("squashplans", "0001", "0002")


def test_without_plans_there_is_nothing_to_show(toolkit, settings):
    settings.STRANGLER["PLANS"] = toolkit
    (toolkit / "plans").rename(toolkit / ".plans")
    assert run("showplans") == run("planstatus") == "There are no plans yet.\n"


@pytest.mark.parametrize(
    ("kind", "files"),
    [("nginx", {"routes.conf"}), ("alb", {"template.json"}), ("apigateway", {"openapi.json", "web-acl.json"})],
)
def test_exportroutes_writes_the_routes_for_other_gateways(toolkit, settings, tmp_path, kind, files):
    (tmp_path / "none").mkdir()
    settings.STRANGLER["PLANS"] = tmp_path / "none"
    said = run("exportroutes", kind, tmp_path / "out" / kind)
    assert {path.name for path in (tmp_path / "out" / kind).iterdir()} == files
    assert all(
        name in said and "127.0.0.1" in (tmp_path / "out" / kind / name).read_text()
        for name in files - {"web-acl.json"}
    )


def test_cutforeignkeys_writes_the_migration_into_a_directory(toolkit):
    assert run("cutforeignkeys", "0001", output=toolkit) == f"Wrote {toolkit / '0002_cut_foreign_keys.py'}\n"
    assert "db_constraint=False" in (toolkit / "0002_cut_foreign_keys.py").read_text()


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (PLAN.replace("reviews.Vote.voter", "reviews.Vate.voter"), 'operation 3: unknown model "reviews.Vate"'),
        (PLAN.replace('"/api/reviews/"', '"/api/reviews/", "/api/reviews/<pk>/"'), "overlap; remove one of them"),
        (PLAN.replace('"/api/reviews/"', '"/api/<a>/", "/api/<b>/"'), "would have two owners"),
        (PLAN.replace("*CUTS, ", "*CUTS[:2], "), '"reviews.Vote.voter" points from one service to another'),
        (PLAN.replace("[]", '["0009_gone"]', 1), 'depends on "0009_gone", which does not exist'),
        (PLAN.replace("class Plan", "class Plain"), 'defines no "class Plan'),
    ],
)
def test_a_bad_plan_is_one_sentence(toolkit, plan, sentence):
    write(toolkit, "0001_reviews", plan)
    for command in (("checkplans",), ("applyplan", "0001"), ("sqlplan", "0001")):
        with pytest.raises(CommandError, match=sentence) as caught:
            run(*command)
        assert "\n" not in str(caught.value)
    assert not (toolkit / "records").exists()


@pytest.mark.parametrize(
    ("first", "second", "sentence"),
    [
        (PLAN, OTHER.replace("reviews.Cursor", "reviews.Review"), 'table of "reviews.Review" has moved already'),
        (PLAN, OTHER.replace("/api/cursors/", "/api/reviews/"), 'two owners, plan "0001_reviews"'),
        (PLAN, OTHER.replace("/api/cursors/", "/api/reviews/top/"), 'overlap; name "/api/reviews/" in "overlapping"'),
        (PLAN.replace("[]", '["0002_other"]', 1), OTHER.replace("[]", '["0001_reviews"]', 1), "in a cycle, 000"),
    ],
)
def test_plans_that_do_not_fit_together_are_one_sentence(toolkit, first, second, sentence):
    write(toolkit, "0001_reviews", first)
    write(toolkit, "0002_other", second)
    with pytest.raises(CommandError, match=sentence):
        run("checkplans")


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("applyplan", "0009"), 'unknown plan "0009"; there is "0001_reviews"'),
        (("applyplan", "0001", "77"), "has 5 operations; 77 is none of them"),
        (("applyplan", "0001"), 'cannot connect to the source database "shop" at 127.0.0.1:1 as "ada"'),
        (("planstatus",), "cannot connect to the source database"),
        (("publishroutes",), "cannot connect to the source database"),
        (("openapi",), "cannot connect to the source database"),
        (("purgecache",), "one of the arguments --route --tag is required"),
        (("applyplan", "0001", "next"), "invalid position value: 'next'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_without_secrets(toolkit, command, sentence):
    with pytest.raises(CommandError, match=sentence) as caught:
        run(*command)
    assert "lovelace" not in str(caught.value)
    assert not (toolkit / "records").exists()


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("SOURCE_DSN", r'STRANGLER\["SOURCE_DSN"\] is empty'),
        ("SERVICES", 'has no service "reviews"'),
    ],
)
def test_a_setting_that_is_missing_is_named(toolkit, settings, key, sentence):
    del settings.STRANGLER[key]
    with pytest.raises(CommandError, match=sentence):
        run("planstatus")


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (psycopg.OperationalError("the server went away\nDETAIL: long"), r"in the middle \(the server went away\)"),
        (KeyboardInterrupt(), "interrupted; the same command goes on"),
    ],
)
def test_an_interruption_is_one_sentence_too(error, sentence):
    class Command(StranglerCommand):
        def run(self, **options):
            raise error

    with pytest.raises(CommandError, match=sentence) as caught:
        call_command(Command())
    assert "\n" not in str(caught.value)


def test_commands_only_delegate():
    import strangler.management.commands

    (directory,) = map(Path, strangler.management.commands.__path__)
    assert {
        path.name: count for path in directory.glob("*.py") if (count := len(path.read_text().splitlines())) > 40
    } == {}
