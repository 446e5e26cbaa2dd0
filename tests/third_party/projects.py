"""Real projects, pinned by the hashes of their wheels, which are fetched and unpacked when somebody asks for one."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PLACE = Path(__file__).parents[2] / ".run/third-party"
_READ = (".py", ".html", ".txt", ".jinja", ".jinja2", ".xml")
_MINUTES = 5


class Unreachable(Exception):
    """The wheel cannot be fetched here: there is no network, say."""


def pins() -> dict[str, str]:
    """The line of each project in wheels.txt."""
    return {line.partition("==")[0]: line for line in (HERE / "wheels.txt").read_text().splitlines()}


def unpacked(name: str, place: Path = PLACE) -> Path:
    """The folder of a project's code, fetched if it is not there.

    Raises Unreachable, or ValueError where the wheel is not the one that is pinned.
    """
    version = pins()[name].partition("==")[2].partition(" ")[0]
    folder = place / f"{name}-{version}"
    if not folder.exists():
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place) as made:
            unpack(_fetched(name, Path(made)), Path(made, "code"))
            Path(made, "code").rename(folder)
    return folder


def unpack(wheel: Path, into: Path) -> None:
    """Unpack what a map reads. Raises ValueError, before anything is written, where a name leads out of the folder."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(_READ)]
        for name in names:
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise ValueError(f'"{wheel.name}" holds "{name}", which leads out of its folder')
        archive.extractall(into, names)


def _fetched(name: str, into: Path) -> Path:
    pin = into / "pin.txt"
    pin.write_text(pins()[name] + "\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--retries", "1"]
    command += ["--only-binary", ":all:", "--no-cache-dir", "--dest", str(into), "--requirement", str(pin)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_MINUTES * 60, check=False)
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"{name} did not arrive within {_MINUTES} minutes") from error
    if "DO NOT MATCH THE HASHES" in done.stderr:
        raise ValueError(f"{name} is not the wheel that wheels.txt pins\n{done.stderr}")
    wheels = list(into.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise Unreachable(f"{name} cannot be fetched ({last})")
    return wheels[0]
