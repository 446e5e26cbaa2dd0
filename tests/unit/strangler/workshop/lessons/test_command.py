"""The command, as it is typed."""

import errno

import pytest

from strangler.cli import main
from strangler.workshop.lessons import going, verbs
from strangler.workshop.lessons.files import lay
from strangler.workshop.lessons.step import step

FIRST, SECOND = step(2), step(3)
"""Which need no running Orchard."""


@pytest.fixture
def typed(bench, capsys, monkeypatch):
    """A function that types a command in the learner's folder, and what came of it."""
    monkeypatch.chdir(bench.home)
    going.begin(bench, going.progress_of(bench).back(), FIRST, lambda text: None)

    def type_(*words):
        code = main(["workshop", *words])
        out = capsys.readouterr()
        return code, out.out + out.err

    return type_


def test_a_learner_comes_from_one_step_to_the_next(typed, bench):
    assert typed("check")[0] == 1
    code, said = typed("start")
    assert (code, f"# {FIRST.title}" in said, ". .run/workshop/env" in said) == (0, True, True)
    assert "1 of 3. " in typed("hint")[1]
    assert "2 of 3. " in typed("hint")[1]
    assert typed("solve") == (
        0,
        f'step {FIRST.number} is laid out as it is solved; "strangler workshop check" looks at it\n',
    )
    assert f"step {FIRST.number} is done" in typed("check")[1]
    assert f"# {SECOND.title}" in typed("start")[1]
    listed = typed("list")[1].splitlines()
    assert f"  [x] {FIRST.title}" in listed
    assert f"> [ ] {SECOND.title}" in listed
    assert typed("reset") == (0, f"step {SECOND.number} is as it begins\n")
    assert f"# {FIRST.title}" in typed("jump", str(FIRST.number))[1]


def test_a_step_that_is_not_there_is_told_with_those_that_are(typed):
    code, said = typed("jump", "77")
    assert code == 1
    assert 'there is no step 77; "strangler workshop list"' in said


def test_no_hint_is_left_to_open_but_those_that_are_open(typed):
    said = [typed("hint")[1] for _ in range(len(FIRST.hints) + 2)]
    assert said[-1] == said[-2] == said[-3]


def test_outside_of_a_bench_it_says_how_to_make_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["workshop", "--in", str(tmp_path), "check"]) == 1
    assert 'there is no workshop in "' in capsys.readouterr().err


def test_a_full_disk_is_told_with_a_way_out(typed, monkeypatch):
    def full(home, wanted):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(going, "lay", full)
    code, said = typed("reset")
    assert code == 1
    assert "the disk is full; what you have written is still there. Make room, and give the same" in said


def test_quitting_ends_a_watch_and_says_where_the_files_are(typed, bench):
    code, said = typed("quit")
    assert (code, str(bench.home) in said) == (0, True)
    assert going.progress_of(bench).left
    assert typed("start")[0] == 0
    assert not going.progress_of(bench).left


def test_the_shell_of_a_bench_has_the_command_whatever_the_learner_has_broken(bench):
    lay(bench.home, FIRST.start(bench.project))
    (bench.home / "strangler" / "cli.py").write_text("broken(")
    done = bench.run(
        "bash", "-c", f'. .run/workshop/env && strangler workshop list && test "$STRANGLER_WORKSHOP" = "{bench.home}"'
    )
    assert (done.returncode, FIRST.title in done.stdout) == (0, True), done.stderr


def test_watching_goes_on_until_the_step_is_done(typed, bench, monkeypatch):
    looks = []

    def pause(seconds):
        looks.append(seconds)
        going.solve(bench, going.progress_of(bench), lambda text: None)

    monkeypatch.setattr(verbs.time, "sleep", pause)
    code, said = typed("watch")
    assert (code, len(looks)) == (0, 1)
    assert f"step {FIRST.number} is done" in said
