"""Small git repositories, really made."""

import os
import subprocess
from pathlib import Path

from tests.unit.strangler.analysis.places import make

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{who}_EMAIL": "ada@shop.example" for who in ("AUTHOR", "COMMITTER")},
}


def git(folder: Path, *arguments: str) -> str:
    """What git says to this in a folder."""
    command = ["git", "-C", str(folder), "-c", "protocol.file.allow=always", *arguments]
    environment = {**os.environ, **_ENVIRONMENT}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()


def begin(folder: Path, files: dict[str, str]) -> Path:
    """A repository with these files in one commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, files)
    return folder


def commit(folder: Path, files: dict[str, str], *gone: str) -> str:
    """One more commit, with these files as they are given, and those gone."""
    make(folder, files)
    for path in gone:
        (folder / path).unlink()
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message=change")
    return git(folder, "rev-parse", "HEAD")
