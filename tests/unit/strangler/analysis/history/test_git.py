"""What git tells, of repositories in every state; nothing of a repository runs."""

import os

import pytest

from strangler.analysis.history.earlier import files_at
from strangler.analysis.history.git import LINK, SUBMODULE, Change, NoHistory, find_repository
from tests.unit.strangler.analysis.repositories import begin, commit, git

FILES = {"shop/__init__.py": "", "shop/a.py": "x = 1\n" * 20, "shop/b.py": "y = 2\n"}


@pytest.fixture
def shop(tmp_path):
    return begin(tmp_path / "work", FILES)


def test_what_two_commits_have_differently_is_told_with_renames_below_the_folder(shop):
    (shop / "shop/a.py").rename(shop / "shop/c.py")
    commit(shop, {"shop/b.py": "y = 3\n", "shop/ä b.py": "", "other.txt": "outside"})
    repository = find_repository(shop / "shop")
    first, last = repository.commit("HEAD~1"), repository.commit("HEAD")
    assert {(change.before, change.path) for change in repository.changes(first, last)} == {
        ("a.py", "c.py"),
        ("b.py", "b.py"),
        ("", "ä b.py"),
    }
    assert {(change.before, change.path) for change in repository.changes(last, first)} == {
        ("c.py", "a.py"),
        ("b.py", "b.py"),
        ("ä b.py", ""),
    }
    assert repository.content(first, "b.py") == b"y = 2\n"


def test_what_is_not_committed_is_told_with_new_files_and_without_ignored_ones(shop):
    commit(shop, {".gitignore": "*.log"})
    (shop / "shop/a.py").unlink()
    (shop / "shop/b.py").write_text("y = 4\n")
    (shop / "shop/new.py").touch()
    (shop / "shop/run.log").touch()
    changes = find_repository(shop).changes("HEAD", None)
    assert sorted(map(str, changes)) == ["shop/a.py (removed)", "shop/b.py", "shop/new.py (added)"]


def test_links_and_submodules_are_told_by_their_modes(shop, tmp_path):
    inner = begin(tmp_path / "inner", {"a.py": ""})
    git(shop, "submodule", "--quiet", "add", str(inner), "inner")
    (shop / "link.py").symlink_to("shop/a.py")
    commit(shop, {})
    repository = find_repository(shop)
    changes = repository.changes(repository.commit("HEAD~1"), repository.commit("HEAD"))
    assert {change.path: change.mode for change in changes if change.mode in (LINK, SUBMODULE)} == {
        "inner": SUBMODULE,
        "link.py": LINK,
    }
    assert "inner" not in dict(repository.files("HEAD"))


def test_a_bare_repository_has_states_and_no_files(shop, tmp_path):
    commit(shop, {"shop/b.py": "y = 5\n"})
    git(tmp_path, "clone", "--quiet", "--bare", str(shop), "bare.git")
    repository = find_repository(tmp_path / "bare.git")
    with files_at(repository, repository.commit("HEAD")) as root:
        assert (root / "shop/b.py").read_text() == "y = 5\n"
    assert not root.exists()
    assert repository.changes("HEAD~1", "HEAD") == [Change(path="shop/b.py", before="shop/b.py", mode="100644")]
    with pytest.raises(NoHistory, match="is a bare repository, without files; name a range"):
        repository.changes("HEAD", None)


def test_the_files_of_a_commit_are_python_and_templates_under_the_names_of_their_packages(shop, tmp_path):
    commit(shop, {"shop/templates/a.html": "<p>", "shop/picture.png": "no", "__init__.py": ""})
    repository = find_repository(shop / "shop")
    with files_at(repository, "HEAD") as root:
        names = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
        assert names == ["__init__.py", "a.py", "b.py", "templates/a.html"]
        assert (root.name, (root.parent / "__init__.py").exists()) == ("shop", True)


@pytest.mark.parametrize("ref", ["nowhere", "HEAD~9", "--all", "-h", "", "HEAD:shop/a.py"])
def test_a_ref_that_is_no_commit_is_refused_in_one_sentence(shop, ref):
    with pytest.raises(NoHistory, match=f'"{ref}" is no commit of'):
        find_repository(shop).commit(ref)


def test_no_repository_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere/at/all")  # what the caller's own repository is does not matter
    with pytest.raises(NoHistory, match="is no git repository; without history, files and their lines can be named"):
        find_repository(tmp_path)


def test_a_machine_without_git_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoHistory, match="git is not installed"):
        find_repository(tmp_path)


def test_a_repository_that_is_broken_is_told(shop):
    for path in (shop / ".git/objects").glob("??/*"):
        path.unlink()
    with pytest.raises(NoHistory, match="is no commit of"):
        find_repository(shop).commit("HEAD")
    (shop / ".git/HEAD").write_bytes(b"\xff\x00")
    with pytest.raises(NoHistory, match="is no git repository"):
        find_repository(shop)


def test_commits_that_never_met_have_nothing_in_common(shop):
    git(shop, "checkout", "--quiet", "--orphan", "other")
    commit(shop, {"other.py": ""})
    with pytest.raises(NoHistory, match="have no commit in common here"):
        find_repository(shop).meeting("main", "other")


def test_nothing_that_a_repository_is_told_to_run_runs(shop, tmp_path):
    mark = tmp_path / "ran"
    evil = tmp_path / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    evil.chmod(0o755)
    settings = {
        "core.fsmonitor": evil,
        "core.hooksPath": evil.parent,
        "diff.external": evil,
        "diff.x.textconv": evil,
        "filter.x.clean": evil,
        "filter.x.smudge": evil,
        "filter.y=z.process": evil,
        "filter.x.required": "true",
        "log.showSignature": "true",
        "gpg.program": evil,
        "core.pager": evil,
    }
    commit(shop, {".gitattributes": "*.py filter=x diff=x"})
    for name, value in settings.items():
        git(shop, "config", name, str(value))
    (shop / "shop/b.py").write_text("y = 6\n")
    mark.unlink(missing_ok=True)
    repository = find_repository(shop)
    # Files as old as the index make git look into them.
    moment = (shop / ".git/index").stat().st_mtime_ns
    for path in (shop / "shop").glob("*.py"):
        os.utime(path, ns=(moment, moment))
    assert "shop/b.py" in [change.path for change in repository.changes("HEAD", None)]
    assert len(repository.changes("HEAD~1", "HEAD")) == 1
    with files_at(repository, "HEAD"):
        pass
    repository.log("--format=%H", seconds=5)
    assert not mark.exists()
