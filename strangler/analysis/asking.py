"""Ask Django's registries: the project's own interpreter sets it up behind a guard, for a bounded time.

This runs the project's code, so it is done on request alone. Whatever goes wrong there becomes a sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strangler.analysis.tree import walk
from strangler.analysis.truth import Asked, parse

_SECONDS = 60
_LONGEST = 64 << 20
_PROBE = Path(__file__).parent / "probe"
_SETTINGS = re.compile(r"""["']DJANGO_SETTINGS_MODULE["']\s*[,\]]\s*(?:=\s*)?["']([\w.]+)["']""")
_CONFIGURATION = re.compile(r"""["']DJANGO_CONFIGURATION["']\s*[,\]]\s*(?:=\s*)?["'](\w+)["']""")
_FROM_FILES = "models and routes are from the files alone"


@dataclass(frozen=True, kw_only=True)
class Start:
    """How a project is started: its settings, which class of them (django-configurations), and where modules lie."""

    settings: str
    configuration: str
    folders: tuple[str, ...]


def ask(root: Path, settings: str, python: str, seconds: float = _SECONDS) -> Asked:
    """What the registries of the project below a folder hold; "settings" may be empty for what manage.py names."""
    start = find_start(root, settings, os.environ)
    if not start.settings:
        return _nothing(
            "no manage.py says which settings the project has: --import-settings shop.settings, or "
            "DJANGO_SETTINGS_MODULE, names them"
        )
    with tempfile.TemporaryDirectory(prefix="strangler-") as folder:
        try:
            answer, errors = _run(root, start, python, Path(folder).resolve(), seconds)
        except subprocess.TimeoutExpired:
            return _nothing(f'"{start.settings}" took longer than {seconds:.0f} s to load')
        except OSError as error:
            return _nothing(
                f'"{python}" cannot be started ({error.strerror}); --python names the project\'s interpreter'
            )
    try:
        found = json.loads(answer)
    except ValueError:
        last = errors.strip().splitlines()[-1:] or ["it said nothing"]
        return _nothing(f'"{start.settings}" ended the process before it was loaded ({last[0][:200]})')
    return _understood(found, answer, start, python)


def find_start(root: Path, settings: str, environ: Mapping[str, str]) -> Start:
    """The settings that are named, or that the environment, manage.py or wsgi.py say, the outermost one first."""
    places = [root / path for path in _starters(root)]
    texts = [place.read_text(encoding="utf-8", errors="replace") for place in places]
    named = next((match[1] for text in texts if (match := _SETTINGS.search(text))), "")
    classed = next((match[1] for text in texts if (match := _CONFIGURATION.search(text))), "")
    folder = next((place.parent for place in places if place.name == "manage.py"), root)
    return Start(
        settings=settings or environ.get("DJANGO_SETTINGS_MODULE") or named,
        configuration=environ.get("DJANGO_CONFIGURATION") or classed,
        folders=tuple(dict.fromkeys(str(one) for one in (folder, root, root / "src") if one.is_dir())),
    )


def _starters(root: Path) -> list[str]:
    """manage.py, wsgi.py and the like, those next to the root first."""
    names = ("manage.py", "wsgi.py", "asgi.py", "celery.py")
    paths = [module.path for module in walk(root).modules if module.path.rpartition("/")[2] in names]
    return sorted(paths, key=lambda path: (names.index(path.rpartition("/")[2]), path.count("/"), path))


def _run(root: Path, start: Start, python: str, folder: Path, seconds: float) -> tuple[str, str]:
    """(what the probe answered, what was printed)."""
    request = {
        "root": str(root),
        "paths": start.folders,
        "settings": start.settings,
        "configuration": start.configuration,
        "folder": str(folder),
    }
    environ = {
        **os.environ,
        **dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(folder)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    with (folder / "answer").open("w+b") as answer, (folder / "printed").open("w+b") as printed:
        process = subprocess.Popen(
            [python, str(_PROBE), json.dumps(request)],
            cwd=start.folders[0],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=answer,
            stderr=printed,
            start_new_session=True,
        )
        try:
            process.wait(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for file in (answer, printed):
            file.seek(0)
        return answer.read(_LONGEST).decode(errors="replace"), printed.read(_LONGEST).decode(errors="replace")


def _understood(found: Any, answer: str, start: Start, python: str) -> Asked:
    if not isinstance(found, dict):
        return _nothing("the answer is no object")
    if found.get("version", [0]) < [3, 8]:
        return _nothing(f'"{python}" is older than Python 3.8, which has no means to guard what settings do')
    refused = [f"refused: {sentence}" for sentence in found.get("refused", ())]
    error = found.get("error")
    trouble = sentence(error, start, python) if isinstance(error, dict) else ""
    try:
        truth = parse(found)
    except ValueError as unknown:
        return _nothing(trouble or str(unknown), refused)
    said = [f'models and routes are from the registries of Django {truth.django} by "{start.settings}"', *refused]
    if truth.routes is None:
        said[0] = f'models are from the registries of Django {truth.django} by "{start.settings}"'
        said.append(f"routes are from the files alone: {trouble}")
    return Asked(truth=truth, said=tuple(said), key=answer.encode())


def _nothing(why: str, more: Sequence[str] = ()) -> Asked:
    return Asked(truth=None, said=(f"{_FROM_FILES}: {why}", *more), key=b"")


def sentence(error: Mapping[str, Any], start: Start, python: str) -> str:
    """What is missing, and what to set."""
    kind, message, name, stage = (str(error.get(key, "")) for key in ("type", "message", "name", "stage"))
    at = f" ({error['at']})" if error.get("at") else ""
    settings = f'"{start.settings}"'
    is_missing = kind == "ModuleNotFoundError"
    told = {
        f'{settings} needs the environment variable "{name}"{at}; set it': bool(error.get("is_variable")),
        f'Django is not installed for "{python}" ({message}); --python names the project\'s own interpreter': (
            stage == "django"
        ),
        f'there is no module "{name}" for the settings {settings}; --import-settings names the right ones': (
            is_missing and f"{start.settings}.".startswith(f"{name}.")
        ),
        f'"{name}" is not installed for "{python}"{at}; install it there, or name another interpreter by --python': (
            is_missing
        ),
        f"this is not allowed while settings are loaded: {message.removeprefix('not allowed here: ')}{at}": (
            kind == "Refused"
        ),
        f"{settings} is incomplete{at}: {message}": kind == "ImproperlyConfigured",
        f"{settings} needs more memory than it is given{at}": kind == "MemoryError",
        f"{settings} cannot be loaded{at}: {kind}{f': {message}' if message else ''}": True,
    }
    return next(text for text, holds in told.items() if holds)
