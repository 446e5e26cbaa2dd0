"""Takes one guard of the protocol away at a time, and sees that seeds or a named test notice it.

A mutant is made in a copy of the package that is put before the real one. "python -m tests.faults.mutants" runs them
all, with names only those; "make mutants" does that. Before the first one, the named tests must pass in an untouched
copy, so that a failure is the mutant's.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from strangler.split import Capture
from tests.faults.mutations import MUTANTS, Mutant
from tests.faults.servers import Servers

ROOT = Path(__file__).parents[2]
SEEDS = 100
"""How many seeds a mutant may survive before it counts as not caught."""
_LOADED = """
import strangler
def pytest_unconfigure():
    assert strangler.__file__.startswith({home!r}), strangler.__file__
"""


class Invalid(Exception):
    """There is no verdict: the mutant cannot be made, or the run broke for another reason."""


def mutated(mutant: Mutant) -> str:
    """The text of its file without the guard. Raises Invalid where the file has changed."""
    text = (ROOT / "strangler/split" / mutant.file).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise Invalid(f'mutant "{mutant.name}": {mutant.file} does not hold its text once; write it anew')
    return text.replace(mutant.old, mutant.new)


def caught(mutant: Mutant) -> str:
    """What noticed it: a seed or a test; empty where nothing did. Raises Invalid where neither can be said."""
    with _copy(mutant) as home:
        return _by_test(home, mutant.by) if mutant.by else _by_seed(home, mutant.capture)


def control(tests: Sequence[str]) -> None:
    """Raises Invalid unless these tests pass in an untouched copy."""
    with _copy(None) as home:
        done = _run_tests(home, tests)
    if done.returncode != 0:
        raise Invalid(f"without any mutant: {_end(done)}")


@contextmanager
def _copy(mutant: Mutant | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        home = Path(name)
        shutil.copytree(ROOT / "strangler", home / "strangler", ignore=shutil.ignore_patterns("__pycache__"))
        if mutant is not None:
            (home / "strangler/split" / mutant.file).write_text(mutated(mutant), encoding="utf-8")
        (home / "loaded.py").write_text(_LOADED.format(home=name), encoding="utf-8")
        yield home


def _by_test(home: Path, test: str) -> str:
    done = _run_tests(home, [test])
    if done.returncode == 0:
        return ""
    if done.returncode != 1 or not re.search(r"\d+ failed", done.stdout) or re.search(r"\d+ error", done.stdout):
        raise Invalid(_end(done))
    return f"`{test.rsplit('::', 1)[-1]}`"


def _by_seed(home: Path, capture: Capture) -> str:
    done = _run(home, "-m", "tests.faults", "--seeds", str(SEEDS), "--capture", capture)
    if done.returncode == 0:
        return ""
    found = re.search(r"^seed (\d+): .*?\n((?:  .*\n)+)\d+ seeds, 1 of them wrong", done.stdout, re.MULTILINE)
    if found is None:
        raise Invalid(_end(done))
    finding = next(line for line in found[2].splitlines() if re.match(_FINDING, line.strip()))
    return f"seed {found[1]}: {finding.strip().split(';')[0][:100]}"


_FINDING = r"(owners|two owners|no rest|verification|sides|fence|number|lost|stale|resurrected)"


def _run_tests(home: Path, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
    own = ["-q", "-n", "0", "-p", "no:cacheprovider", "-p", "loaded", "-o", f"pythonpath={home}"]
    return _run(home, "-m", "pytest", *own, "-o", "django_find_project=false", *tests)


def _run(home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join(map(str, (home, ROOT, ROOT / "proxy")))
    return subprocess.run(
        [sys.executable, "-P", *command],  # without the directory it runs in, which would come before the copy
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def _end(done: subprocess.CompletedProcess[str]) -> str:
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])


def main() -> int:
    names = sys.argv[1:]
    chosen = [mutant for mutant in MUTANTS if not names or any(name in mutant.name for name in names)]
    chosen.sort(key=lambda mutant: mutant.by, reverse=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the servers go with the stack
    with ExitStack() as stack:
        # One pair of servers for all of the tests' databases.
        dsns = Servers(stack).dsns
        os.environ.update({f"STRANGLER_TEST_{side.name}": dsn for side, dsn in dsns.items()})
        os.environ["STRANGLER_TEST_HOME"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="mutants-"))
        left = _judge(chosen)
    sys.stdout.write(f"{len(chosen)} mutants, {left} of them not caught\n")
    return bool(left)


def _judge(chosen: Sequence[Mutant]) -> int:
    """How many were not caught, or got no verdict."""
    left = 0
    control(sorted({mutant.by for mutant in chosen if mutant.by}) or ["tests/faults/test_mutants.py"])
    for mutant in chosen:
        began = time.monotonic()
        try:
            by = caught(mutant) or "NOT CAUGHT"
        except Invalid as error:
            by = f"NO VERDICT: {error}"
        left += by.startswith("NO")
        sys.stdout.write(f"| {mutant.name} | `{mutant.file}` | {by} | {time.monotonic() - began:.0f} s |\n")
        sys.stdout.flush()
    return left


if __name__ == "__main__":
    sys.exit(main())
