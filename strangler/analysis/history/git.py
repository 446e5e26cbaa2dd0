"""What git tells of a repository. Only its objects are asked: no hook, filter or helper runs, nothing is fetched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from strangler.errors import StranglerError

_SECONDS = 60
_SAFE = {
    "core.fsmonitor": "false",
    "core.hooksPath": "/dev/null",
    "core.quotePath": "false",
    "log.showSignature": "false",
}
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",  # what a partial clone has left out stays where it is
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_RAW = ("-z", "-M", "--raw", "--relative")
LINK, SUBMODULE = "120000", "160000"


class NoHistory(StranglerError):
    """There is no repository, or it does not tell what was asked."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """A file that two states have differently. Paths are below the folder that was asked about, with "/"."""

    path: str
    """Empty where it is gone."""
    before: str
    """Empty where it is new; another path where it was renamed."""
    mode: str = ""
    """As git writes modes: links and submodules have modes of their own."""

    def __str__(self) -> str:
        if not self.path or not self.before:
            return f"{self.path or self.before} ({'removed' if self.before else 'added'})"
        return self.path if self.path == self.before else f"{self.path} (was {self.before})"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The repository that a folder lies in. "below" is the folder's path within it, with a "/" at its end."""

    folder: Path
    below: str
    bare: bool
    filters: tuple[str, ...] = ()
    """The names of settings by which its configuration has contents go through programs."""

    def commit(self, ref: str) -> str:
        """The whole name of the commit that a ref means. Raises NoHistory."""
        try:
            return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()
        except NoHistory as error:
            raise NoHistory(
                f'"{ref}" is no commit of {self.folder}; "git log --all" shows them, "git fetch --unshallow" gets more'
            ) from error

    def meeting(self, one: str, other: str) -> str:
        """Where the ways of two commits parted. Raises NoHistory."""
        try:
            return self._text("merge-base", one, other).strip()
        except NoHistory as error:
            raise NoHistory(
                f'"{one}" and "{other}" have no commit in common here; name a range with two dots'
            ) from error

    def changes(self, before: str, after: str | None) -> list[Change]:
        """What two commits have differently, or a commit and the files that lie there now, new ones as well."""
        if after is not None:
            return list(_changes(self._text("diff-tree", "-r", *_RAW, before, after)))
        if self.bare:
            raise NoHistory(f"{self.folder} is a bare repository, without files; name a range: REF..REF")
        found = list(_changes(self._text("diff-index", *_RAW, "--ignore-submodules=dirty", before)))
        new = self._text("ls-files", "-z", "--others", "--exclude-standard").split("\0")
        return [*found, *(Change(path=path, before="") for path in new if path)]

    def content(self, ref: str, path: str) -> bytes:
        """A file as it was. Raises NoHistory."""
        return self._bytes("cat-file", "blob", f"{ref}:{self.below}{path}")

    def files(self, ref: str) -> Iterator[tuple[str, str]]:
        """(path, the name of its object) of each file at a commit, without links and submodules."""
        for entry in self._text("ls-tree", "-r", "-z", ref).split("\0"):
            described, _, path = entry.partition("\t")
            if path and described.split()[0] not in (LINK, SUBMODULE):
                yield path, described.split()[2]

    def contents(self, objects: list[str]) -> Iterator[bytes]:
        """The contents of objects, in their order; empty for what is not there."""
        answer = self._bytes("cat-file", "--batch", given="".join(f"{name}\n" for name in objects).encode())
        at = 0
        for _ in objects:
            end = answer.index(b"\n", at)
            words = answer[at:end].split()
            size = int(words[2]) if len(words) == 3 else 0
            yield answer[end + 1 : end + 1 + size]
            at = end + 1 + (size + 1 if len(words) == 3 else 0)

    @property
    def shallow(self) -> bool:
        """Whether its history was cut off when it was cloned."""
        return self._text("rev-parse", "--is-shallow-repository").strip() == "true"

    def log(self, *arguments: str, seconds: float) -> tuple[str, str]:
        """What "git log" says of the folder within that time, and why it does not say more; empty where it is all."""
        command = ["git", "-C", str(self.folder), "log", *arguments, "--", "."]
        environment = _environment(self.filters)
        try:
            done = subprocess.run(command, capture_output=True, env=environment, check=False, timeout=seconds)
        except subprocess.TimeoutExpired as error:
            said, why = error.stdout or b"", f"no more was read within {seconds:g} seconds"
        else:
            said, why = done.stdout, _reason(done.stderr) if done.returncode else ""
        return said.decode("utf-8", "surrogateescape"), why

    def _text(self, *arguments: str) -> str:
        return self._bytes(*arguments).decode("utf-8", "surrogateescape")

    def _bytes(self, *arguments: str, given: bytes = b"") -> bytes:
        return _run(self.folder, *arguments, given=given, filters=self.filters)


def find_repository(folder: Path) -> Repository:
    """The repository that a folder lies in. Raises NoHistory."""
    try:
        answer = _run(folder, "rev-parse", "--is-bare-repository", "--show-prefix").decode("utf-8", "surrogateescape")
    except NoHistory as error:
        reason = "no git repository" if "not a git repository" in str(error) else f"not readable as one ({error})"
        raise NoHistory(f'"{folder}" is {reason}; without history, files and their lines can be named') from error
    bare, _, prefix = answer.partition("\n")
    names = _run(folder, "config", "--list", "--name-only", "-z").decode("utf-8", "surrogateescape").split("\0")
    filters = tuple(sorted({name for name in names if name.startswith("filter.")}))
    return Repository(folder=folder, below=prefix.rstrip("\n"), bare=bare == "true", filters=filters)


def _run(folder: Path, *arguments: str, given: bytes = b"", filters: Sequence[str] = ()) -> bytes:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, env=_environment(filters), check=False, timeout=_SECONDS
        )
    except FileNotFoundError as error:
        raise NoHistory("git is not installed; without it, files and their lines can be named") from error
    except subprocess.TimeoutExpired as error:
        raise NoHistory(f"git {arguments[0]} took more than {_SECONDS} seconds in {folder}") from error
    if done.returncode:
        raise NoHistory(f"git {arguments[0]} in {folder}: {_reason(done.stderr) or f'ended with {done.returncode}'}")
    return done.stdout


def _environment(filters: Sequence[str]) -> dict[str, str]:
    """The environment in which git asks nobody, and in which its settings are these, whatever a repository says."""
    settings = _SAFE | {name: "false" if name.endswith(".required") else "" for name in filters}
    told = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (name, value) in enumerate(settings.items()):
        told |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return kept | _ENVIRONMENT | told


def _reason(said: bytes) -> str:
    lines = said.decode("utf-8", "replace").strip().splitlines()
    return next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")


def _changes(raw: str) -> Iterator[Change]:
    """Those in what git calls the raw format, with zeros between."""
    words = iter(raw.split("\0"))
    for described in words:
        if not described.startswith(":"):
            continue
        before_mode, after_mode, _, _, status = described[1:].split()
        path = next(words)
        mode = before_mode if status == "D" else after_mode
        if status.startswith(("R", "C")):
            yield Change(path=next(words), before=path if status.startswith("R") else "", mode=mode)
        else:
            yield Change(path="" if status == "D" else path, before="" if status == "A" else path, mode=mode)
