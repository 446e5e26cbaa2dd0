"""Every step that needs no running system: as it begins, as it is solved, and its text."""

import subprocess

import pytest

from strangler.workshop.instance import ROOT
from strangler.workshop.lessons.files import differing, lay, tree_of
from strangler.workshop.lessons.going import with_written
from strangler.workshop.lessons.step import steps
from strangler.workshop.lessons.text import followed
from tests.console import answers

ALL = [pytest.param(one, id=one.name) for one in steps()]
STEPS = [pytest.param(one, id=one.name) for one in steps() if one.position is None]


@pytest.mark.parametrize("one", STEPS)
def test_it_is_not_done_as_it_begins_and_done_as_it_is_solved(bench, one):
    lay(bench.home, one.start(ROOT))
    assert one.check(bench)
    lay(bench.home, one.solution(ROOT))
    assert one.check(bench) == []


@pytest.mark.parametrize("one", ALL)
def test_laid_out_again_it_has_the_same_bytes_and_no_file_more(bench, one):
    start = one.start(ROOT)
    lay(bench.home, start)
    (bench.home / "manage.py").unlink()
    (bench.home / "monolith" / "reviews" / "models.py").write_text("broken")
    (bench.home / "migration_plans" / "0007_more").mkdir()
    (bench.home / "migration_plans" / "0007_more" / "plan.py").write_text("")
    lay(bench.home, start)
    assert differing(tree_of(bench.home), start) == []
    assert not (bench.home / "migration_plans" / "0007_more").exists()


@pytest.mark.parametrize("one", STEPS)
def test_every_command_of_its_text_answers_as_the_text_shows(bench, one):
    lay(bench.home, one.start(ROOT))
    solution, ran = one.solution(ROOT), 0
    for written, command, expected in followed(one.text):
        lay(bench.home, with_written(tree_of(bench.home), written, solution))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=bench.home,
            env=bench.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert answers(expected, done.stdout), f"$ {command}\n{done.stdout}\n---\n" + "\n".join(expected)
        ran += 1
    assert ran


@pytest.mark.parametrize("one", ALL)
def test_it_has_a_title_with_its_number_and_hints_in_three_levels(one):
    assert one.title.startswith(f"{one.number}. ")
    assert len(one.hints) >= 3
    assert all(one.hints)


def test_the_steps_are_numbered_in_their_order():
    numbers = [one.number for one in steps()]
    assert numbers == sorted(set(numbers))
