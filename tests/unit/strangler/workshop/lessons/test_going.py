"""From step to step, with whatever a learner has done meanwhile."""

import shutil
import subprocess

import pytest

from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT
from strangler.workshop.lessons import going, keeping, progress
from strangler.workshop.lessons.files import differing, tree_of
from strangler.workshop.lessons.step import step

MODELS = "monolith/reviews/models.py"
FIRST, SECOND = step(2), step(3)


FILES = (
    "README.md",
    "manage.py",
    "migration_plans/0001_reviews/plan.py",
    "migration_plans/0001_reviews/record.jsonl",
    "monolith/reviews/migrations/0002_cut_foreign_keys.py",
    MODELS,
)


@pytest.fixture
def project(tmp_path):
    """Of the project only what these steps speak of: the whole would take a second each time."""
    for path in FILES:
        place = tmp_path / "project" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, place)
    return tmp_path / "project"


@pytest.fixture
def mine(tmp_path, project):
    """A new bench at a step that needs no running Orchard, and all that it says."""
    told = []
    bench = going.make(tmp_path / "mine", project, told.append)
    going.begin(bench, going.progress_of(bench), FIRST, told.append)
    return bench, told


def edit(bench):
    (bench.home / MODELS).write_text("class Review: mine\n")
    (bench.home / "notes.txt").write_text("what I think\n")
    (bench.home / "README.md").unlink()


def git(bench, *arguments):
    return subprocess.run(["git", *arguments], cwd=bench.home, capture_output=True, text=True, check=True).stdout


def test_a_new_one_has_the_first_steps_files_and_no_lessons(bench):
    assert not (bench.home / "strangler" / "workshop" / "lessons").exists()
    assert (bench.home / "strangler" / "workshop" / "system.py").exists()


def test_a_step_begins_with_its_files_and_a_clean_history(mine):
    bench, told = mine
    assert going.progress_of(bench) == progress.Progress(step=FIRST.number, laid=True)
    assert differing(tree_of(bench.home), FIRST.start(bench.project)) == []
    assert git(bench, "status", "--porcelain") == ""
    assert told == []


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")
def test_edits_are_kept_on_a_branch_of_their_own_and_the_learners_is_not_touched(mine):
    bench, _ = mine
    edit(bench)
    git(bench, "add", MODELS)
    head, index = git(bench, "rev-parse", "HEAD"), git(bench, "diff", "--cached")
    place = keeping.keep_edits(bench, [FIRST.start(bench.project)], "one")
    assert (git(bench, "rev-parse", "HEAD"), git(bench, "diff", "--cached")) == (head, index)
    branch = place.split('"')[1]
    assert git(bench, "show", f"{branch}:{MODELS}") == "class Review: mine\n"
    assert git(bench, "show", f"{branch}:notes.txt") == "what I think\n"
    assert "README.md" not in git(bench, "ls-tree", "--name-only", branch).split()


def test_without_git_what_was_edited_is_copied(mine, monkeypatch):
    bench, told = mine
    edit(bench)
    monkeypatch.setenv("PATH", "")
    going.begin(bench, going.progress_of(bench), SECOND, told.append)
    (kept,) = (bench.own / "kept").iterdir()
    assert str(kept) in told[0]
    assert (kept / MODELS).read_text() == "class Review: mine\n"
    assert sorted(path.name for path in kept.rglob("*") if path.is_file()) == ["models.py", "notes.txt"]
    assert differing(tree_of(bench.home), SECOND.start(bench.project)) == []


def test_where_git_is_broken_it_is_as_if_it_were_not_there(mine):
    bench, told = mine
    edit(bench)
    (bench.home / ".git" / "HEAD").write_text("nonsense")
    going.begin(bench, going.progress_of(bench), SECOND, told.append)
    assert told[0].startswith("what you had written is kept: folder")


def test_nothing_is_kept_of_what_the_workshop_laid_out_itself(mine):
    bench, told = mine
    going.solve(bench, going.progress_of(bench), told.append)
    going.begin(bench, going.progress_of(bench), SECOND, told.append)
    going.begin(bench, going.progress_of(bench), FIRST, told.append)
    assert told == []


def test_solving_keeps_what_was_written(mine):
    bench, told = mine
    edit(bench)
    going.solve(bench, going.progress_of(bench), told.append)
    assert len(told) == 1
    assert differing(tree_of(bench.home), FIRST.solution(bench.project)) == []


def test_a_step_that_was_laid_out_in_part_is_told_and_laid_out_by_a_reset(mine, monkeypatch):
    bench, told = mine
    edit(bench)

    def cut_off(home, wanted):
        (home / "manage.py").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(going, "lay", cut_off)
    with pytest.raises(KeyboardInterrupt):
        going.begin(bench, going.progress_of(bench), SECOND, told.append)
    monkeypatch.undo()
    now = going.progress_of(bench)
    with pytest.raises(StranglerError, match=f"step {SECOND.number} is laid out only in part.*workshop reset"):
        going.whole(now)
    going.begin(bench, now, step(now.step), told.append)
    assert going.whole(going.progress_of(bench)).step == SECOND.number
    assert differing(tree_of(bench.home), SECOND.start(bench.project)) == []
    assert len(told) == 2


def test_where_there_is_no_room_to_keep_edits_nothing_is_changed(mine, monkeypatch):
    bench, told = mine
    edit(bench)
    monkeypatch.setenv("PATH", "")
    (bench.own / "kept").write_text("a file where the folder would be")
    with pytest.raises(OSError):
        going.begin(bench, going.progress_of(bench), SECOND, told.append)
    assert (bench.home / MODELS).read_text() == "class Review: mine\n"
    assert going.progress_of(bench).step == FIRST.number


def test_a_folder_of_somebody_elses_is_refused(tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(StranglerError, match="is not empty, and no workshop"):
        going.make(tmp_path, ROOT, print)
    for place in (ROOT, ROOT.parent, ROOT / "docs" / "mine"):
        with pytest.raises(StranglerError, match="is part of the project, or holds it"):
            going.make(place, ROOT, print)
