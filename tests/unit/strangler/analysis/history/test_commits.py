"""What is changed together: counted by hand, and told where history ends."""

import math
import os
import shutil
import subprocess

import pytest

from strangler.analysis.history.commits import of_these, read_history, together
from strangler.analysis.history.git import find_repository
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make
from tests.unit.strangler.analysis.repositories import begin, commit, git


def commits(*changes):
    return [frozenset(paths.split()) for paths in changes]


def test_chance_is_fishers_and_pairs_are_counted_once_a_commit():
    both, alone = ["a/1 a/2 b/1"] * 6, ["c/1"] * 14
    (pair,) = together(commits(*both, *alone), lambda path: path[0])
    assert (pair.one, pair.other, pair.both, pair.first, pair.second, pair.commits) == ("a", "b", 6, 6, 6, 20)
    assert pair.confidence == 1
    assert pair.lift == pytest.approx(20 / 6)
    assert str(pair) == "a with b: 6 of its 6 commits (100%), 3.3 times chance"
    assert 1 / math.comb(20, 6) < 0.01  # as likely as this is, if the six of each fell anywhere


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (["a b", "a b", *["c"] * 40], "twice is an accident"),
        (["a b"] * 10, "of what is in every commit nothing can be said"),
        ([*["a b"] * 3, *["a"] * 9, *["b"] * 9, *["c"] * 15], "as often as chance has it"),
    ],
)
def test_what_chance_explains_is_no_pair(changes, why):
    assert together(commits(*changes), str) == [], why


def test_the_more_pairs_there_are_the_more_a_pair_needs():
    changes = [*["a b"] * 3, *["c"] * 9]  # one in 220
    assert len(together(commits(*changes), str)) == 1
    assert together(commits(*changes, "d e f g h"), str) == []


def test_the_most_certain_are_first_and_nobodys_files_do_not_count():
    changes = [*["a b"] * 4, *["c d"] * 8, *["e"] * 30]
    pairs = together(commits(*changes), str)
    assert [(pair.one, pair.other) for pair in pairs] == [("c", "d"), ("a", "b")]
    assert of_these(pairs, ["b"]) == pairs[1:]
    assert together(commits(*changes), lambda path: "") == []


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = begin(tmp_path_factory.mktemp("shop"), {"back/a.py": "0", "back/b.py": "0", "c.py": "0"})
    for number in range(1, 5):
        commit(made, {"back/a.py": str(number), "back/b.py": str(number)})
    commit(made, {"c.py": "1"})
    commit(made, {f"back/{number}.py": "" for number in range(60)})
    git(made, "checkout", "--quiet", "-b", "side")
    commit(made, {"back/a.py": "side"})
    git(made, "checkout", "--quiet", "main")
    git(made, "merge", "--quiet", "--no-ff", "--message=merge", "side")
    return made


def test_a_history_is_read_below_its_folder_without_merges_and_huge_commits(shop):
    read = read_history(find_repository(shop / "back"))
    assert sorted(map(sorted, read.commits)) == [["a.py"], *[["a.py", "b.py"]] * 5]
    assert read.sentences == ("1 commits of more than 50 files were left out",)


def test_a_shallow_clone_says_so_and_its_oldest_commit_does_not_count(shop, tmp_path):
    git(tmp_path, "clone", "--quiet", "--depth=3", f"file://{shop}", "clone")
    read = read_history(find_repository(tmp_path / "clone"))
    # The side's own commit, and not the two at which the clone was cut off.
    assert list(read.commits) == [frozenset({"back/a.py"})]
    assert "the clone is shallow: only 3 commits are there (git fetch --unshallow)" in read.sentences


def test_a_history_that_breaks_off_is_read_as_far_as_it_goes(shop, tmp_path):
    git(tmp_path, "clone", "--quiet", "--no-local", str(shop), "clone")
    clone = tmp_path / "clone"
    pack = next((clone / ".git/objects/pack").glob("*.pack"))
    pack.rename(tmp_path / "pack")
    with (tmp_path / "pack").open("rb") as packed:
        command = ["git", "-C", str(clone), "unpack-objects", "-q"]
        subprocess.run(command, stdin=packed, check=True)
    old = git(shop, "rev-parse", "main~4")
    (clone / ".git/objects" / old[:2] / old[2:]).unlink()
    read = read_history(find_repository(clone))
    assert 0 < len(read.commits) < 6
    assert any("could be read for" in sentence for sentence in read.sentences)


def test_a_history_that_takes_too_long_is_cut_and_told(shop, tmp_path, monkeypatch):
    repository = find_repository(shop)
    whole = len(git(shop, "log", "--format=%H", "--no-merges").split())
    slow = tmp_path / "bin" / "git"  # gives its answer, and does not come to an end
    slow.parent.mkdir()
    slow.write_text(f'#!/bin/sh\n{shutil.which("git")} "$@"\ncase "$*" in *" log "*) exec sleep 60 ;; esac\n')
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    read = read_history(repository, seconds=2)
    assert (
        f"the history could be read for {whole - 1} commits alone (no more was read within 2 seconds)" in read.sentences
    )


def test_a_seam_is_told_with_the_apps_beyond_it_that_are_changed_together_with_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = begin(tmp_path / "shop", SHOP)
    for number in range(9):
        commit(project, {"shop/reviews/a.py": f"{number}", "shop/people/a.py": f"{number}"})
        commit(project, {"shop/catalog/a.py": f"{number}"})
    assert main(["propose", str(project), "--seam", "reviews"]) == 0
    told = capsys.readouterr().out.partition("  changed together, more than by chance:\n")[2]
    assert told == "    people with reviews: 10 of its 10 commits (100%), 1.9 times chance\n"
    assert main(["propose", str(make(tmp_path / "plain", SHOP)), "--seam", "reviews"]) == 0
    assert "changed together" not in capsys.readouterr().out
