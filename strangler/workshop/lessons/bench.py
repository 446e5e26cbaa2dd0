"""The folder a learner works in: a copy of the project, with a place of the workshop's own below .run/workshop."""

from __future__ import annotations

import getpass
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strangler.errors import StranglerError
from strangler.workshop.instance import ROOT, Instance

_OF_INSTANCES = ("ORCHARD_", "REVIEWS_", "NOTIFICATIONS_", "STRANGLER_", "DJANGO_", "PYTHON")
"""What a shell may have of another copy of Orchard, or of the project the workshop was started from."""
_OF_ONE_PROJECT = "DJANGO_SETTINGS_MODULE"
"""Which each manage.py knows of its own; a shell here is for Orchard's and the service's."""
_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Bench:
    """One learner's folder. "project" is the checkout that it was made from, with the lessons."""

    home: Path
    project: Path = ROOT

    @property
    def own(self) -> Path:
        """Where the workshop keeps what is its own."""
        return self.home / ".run" / "workshop"

    @property
    def instance(self) -> Instance:
        """The learner's copy of Orchard."""
        return Instance(home=self.home / ".run" / "orchard")

    def text(self, path: str) -> str | None:
        """A file's text; None where it is not there. What is not UTF-8 is replaced."""
        try:
            return (self.home / path).read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of the commands of the learner's Orchard."""
        return self.run(sys.executable, "manage.py", *arguments)

    def run(self, *command: str, seconds: float = _SECONDS, folder: str = ".") -> subprocess.CompletedProcess[str]:
        """Run a program here, with this folder's environment. Raises StranglerError where it takes too long."""
        try:
            return subprocess.run(
                command,
                cwd=self.home / folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired as error:
            raise StranglerError(f'"{shlex.join(command)}" took more than {seconds:g} s and was ended') from error

    def environment(self) -> dict[str, str]:
        """The variables of a shell in this folder; those of its Orchard too, once that has been up."""
        plain = {name: value for name, value in os.environ.items() if not name.startswith(_OF_INSTANCES)}
        paths = os.pathsep.join([str(self.home), str(self.home / "proxy")])
        path = os.pathsep.join([str(self.own / "bin"), str(Path(sys.executable).parent), plain.get("PATH", os.defpath)])
        return {**plain, **self._orchard(), "PYTHONPATH": paths, "PATH": path}

    def write_entrance(self) -> None:
        """The command "strangler" for this folder, and a file to source that puts it on the path."""
        command = self.own / "bin" / "strangler"
        command.parent.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join([str(self.project), str(self.project / "proxy")])
        # -P: what lies in the folder that one stands in is the learner's, and may be broken.
        python = f"PYTHONPATH={shlex.quote(paths)} exec {shlex.quote(sys.executable)} -P -m strangler"
        command.write_text(f'#!/bin/sh\n{python} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        home = shlex.quote(str(self.home))
        path = ":".join(shlex.quote(str(part)) for part in (command.parent, Path(sys.executable).parent))
        orchard = f"{home}/.run/orchard/env"
        (self.own / "env").write_text(
            f"[ ! -e {orchard} ] || . {orchard}\n"
            f"unset {_OF_ONE_PROJECT}\n"
            f"export PATH={path}:$PATH PYTHONPATH={home}:{home}/proxy STRANGLER_WORKSHOP={home}\n",
            encoding="utf-8",
        )
        (self.project / ".run" / "templates").mkdir(parents=True, exist_ok=True)
        for name in (".venv", ".venv-proxy", ".run/templates"):
            link = self.home / name
            if not link.exists() and (self.project / name).exists():
                link.unlink(missing_ok=True)
                link.symlink_to((self.project / name).resolve(), target_is_directory=True)

    def _orchard(self) -> Mapping[str, str]:
        try:
            given = self.instance.environment()
            return {name: value for name, value in given.items() if name != _OF_ONE_PROJECT}
        except FileNotFoundError:  # it was never up
            return {}


def usual_place() -> Path:
    """Where a bench is made if nobody says where."""
    return ROOT / ".run" / "workshop" / _user()


def find(folder: Path | None) -> Bench:
    """The bench in this folder, or around the one that one stands in, or at the usual place.

    Raises StranglerError where there is none.
    """
    here = Path.cwd()
    named = os.environ.get("STRANGLER_WORKSHOP")
    places = [folder] if folder else [here, *here.parents, *([Path(named)] if named else []), usual_place()]
    for place in places:
        bench = Bench(home=place.resolve())
        if bench.own.joinpath("progress.json").exists():
            return bench
    where = f'in "{folder}"' if folder else f'here, nor at "{usual_place()}"'
    raise StranglerError(f'there is no workshop {where}; "strangler workshop start" makes one')


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "learner"
