"""Keeps what a learner has written before the workshop changes files: a commit on a side branch, or a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.files import Tree, differing, tree_of

_WHO = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "workshop"), ("EMAIL", "workshop@localhost"))
}
_PLAIN = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_LITERAL_PATHSPECS": "1"}
"""Whatever a person's git does besides (hooks, signatures, line ends) is not wanted here."""
_IGNORED = "/.run\n/.venv\n/.venv-proxy\n"


class GitError(Exception):
    """Git is not there, or refused."""


def keep_edits(bench: Bench, known: Sequence[Tree], step: str) -> str | None:
    """Keep all files aside if they are as none of the known trees has them; says where, None if there was nothing.

    Raises OSError where they cannot be kept; nothing was changed then.
    """
    here = tree_of(bench.home)
    edits = [set(differing(here, tree)) for tree in known] or [set(here)]
    if not here or not all(edits):
        return None
    label = f"{step}-{datetime.now().astimezone():%Y%m%d-%H%M%S-%f}"
    try:
        return f'branch "{_commit_aside(bench, list(here), label)}"'
    except GitError:
        return f'folder "{_copy_aside(bench, sorted(edits[0] & here.keys()), label)}"'


def commit_start(bench: Bench, step: str) -> None:
    """Commit what is there as the beginning of a step, so that "git diff" shows what one did. Without git: nothing."""
    try:
        if not (bench.home / ".git").exists():
            _git(bench, "init", "--quiet", "--initial-branch=workshop", "--template=")
            exclude = bench.home / ".git" / "info" / "exclude"
            exclude.parent.mkdir(exist_ok=True)
            exclude.write_text(_IGNORED, encoding="ascii")
        _git(bench, "add", "--all")
        _git(bench, "commit", "--quiet", "--allow-empty", "--no-verify", "--message", f"{step}, as it begins")
    except GitError:
        return  # a convenience; what must not be lost is kept by the above


def _commit_aside(bench: Bench, paths: Sequence[str], label: str) -> str:
    """A commit of all files on a branch of its own; neither the learner's branch nor their index is touched."""
    branch = f"kept/{label}"
    index = bench.own / f"index-{os.getpid()}"
    try:
        _git(
            bench,
            *("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul"),
            given="\0".join(paths),
            index=index,
        )
        tree = _git(bench, "write-tree", index=index)
        head = _git(bench, "rev-parse", "--verify", "HEAD")
        commit = _git(bench, "commit-tree", tree, "-p", head, "-m", f"{label}, as it was left")
        _git(bench, "update-ref", f"refs/heads/{branch}", commit, "")
    finally:
        index.unlink(missing_ok=True)
    return branch


def _copy_aside(bench: Bench, paths: Sequence[str], label: str) -> Path:
    place = bench.own / "kept" / label
    place.mkdir(parents=True)
    try:
        for path in paths:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(bench.home / path, place / path, follow_symlinks=False)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)  # half a copy would be taken for a whole one
        raise
    return place


def _git(bench: Bench, *arguments: str, given: str = "", index: Path | None = None) -> str:
    if arguments[0] != "init" and not (bench.home / ".git").exists():
        raise GitError("this folder has no history of its own")  # that of a folder around it is not ours
    mine = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    only = {"GIT_INDEX_FILE": str(index)} if index else {}
    try:
        done = subprocess.run(
            [
                "git",
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "core.autocrlf=false",
                "-c",
                "commit.gpgSign=false",
                *arguments,
            ],
            cwd=bench.home,
            env={**mine, **_PLAIN, **_WHO, **only},
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            check=False,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed") from error
    if done.returncode:
        raise GitError(done.stderr.strip())
    return done.stdout.strip()
