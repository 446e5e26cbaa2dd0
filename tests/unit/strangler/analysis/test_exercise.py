"""Exercises that go with drafted plans: what they tell to type can be typed."""

import re
import shlex
from pathlib import Path

import pytest
from django.core.management import call_command, load_command_class

from strangler.cli import main

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the exercise of Orchard's reviews, in which Orchard lies too."""
    here = tmp_path_factory.mktemp("exercise")
    (here / "monolith").symlink_to(ROOT / "monolith", target_is_directory=True)
    into = here / "plans" / "0001_reviews"
    assert main(["makeplan", "reviews", str(ROOT / "monolith"), "--into", str(into), "--exercise", "--anew"]) == 0
    text = (into / "exercise.md").read_text()
    (into / "exercise.md").write_text(text.replace(str(ROOT / "monolith"), "monolith"))
    return here


def typed(folder, program):
    text = (folder / "plans" / "0001_reviews" / "exercise.md").read_text()
    return list(dict.fromkeys(re.findall(rf"^\$ {program} (.*)$", text, re.MULTILINE)))


def test_every_command_of_strangler_that_it_names_runs_in_the_order_in_which_it_stands(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    commands = typed(folder, "strangler")
    assert {command.partition(" ")[0] for command in commands} == {"propose", "contracts", "map"}
    for command in commands:
        assert main(shlex.split(command)) == 0, command


def test_every_command_of_django_that_it_names_is_understood_and_those_that_only_look_run(folder, settings):
    plans = folder / "plans"
    settings.STRANGLER = {**settings.STRANGLER, "PLANS": plans, "RECORDS": plans}
    commands = [shlex.split(command) for command in typed(folder, "python manage.py")]
    assert {name for name, *_ in commands} == {"checkplans", "showplans", "sqlplan", "applyplan", "planstatus"}
    for name, *arguments in commands:
        load_command_class("strangler", name).create_parser("manage.py", name).parse_args(arguments)
    call_command("checkplans")


def test_it_has_a_step_for_each_operation_a_check_for_each_kind_and_hints_in_levels(folder):
    text = (folder / "plans" / "0001_reviews" / "exercise.md").read_text()
    plan = (folder / "plans" / "0001_reviews" / "plan.py").read_text()
    operations = re.findall(r"^        (\w+\(.*\)),$", plan, re.MULTILINE)
    assert [f"**{number}.** `{operation}`" for number, operation in enumerate(operations, 1)] == re.findall(
        r"^\*\*\d+\.\*\* `.*`$", text, re.MULTILINE
    )
    kinds = re.findall(r"^\*\*\d+\. (.+)\*\*, \d+ of them", text, re.MULTILINE)
    assert "hidden write" in kinds
    assert all(f"strangler map monolith --lines --kind '{kind}'" in text for kind in kinds)
    assert text.count("<summary>Hint 1</summary>") == text.count("<summary>Hint 2</summary>") >= len(kinds)
    for wanted in ("reviews/reports.py:8", "applyplan 0001_reviews zero", "--final", "## Questions"):
        assert wanted in text


def test_an_exercise_needs_a_folder(capsys):
    assert main(["makeplan", "reviews", str(ROOT / "monolith"), "--exercise"]) == 1
    assert "name its folder with --into" in capsys.readouterr().err
