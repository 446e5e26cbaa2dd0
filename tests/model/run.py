"""Check the model of the cutover with spin: the intact one completely, and each broken variant until it is caught.

python tests/model/run.py [--bound small|large] [--only NAME]
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).with_name("cutover.pml")
BOUNDS = {"small": {"ATTEMPTS": 2, "WRITES": 2, "APPLIERS": 1}, "large": {"ATTEMPTS": 3, "WRITES": 2, "APPLIERS": 2}}
INTACT = "intact"
# The guard that each variant lacks, and what the search needs to find it.
VARIANTS = {
    "FENCE_WITHOUT_CAS": ("the fence compares no epoch", {}),
    "NO_REFENCE": ("recovering a stable pair leaves its epoch alone", {}),
    "FENCE_DOES_NOT_WAIT": ("the fence does not wait for open writers", {"ATTEMPTS": 1}),
    "COMMIT_WITHOUT_CAS": ("the commit compares no epoch", {}),
    "PICTURE_AGAIN": ("the picture is taken again before the commit", {}),
    "NO_BUMP": ("going back leaves the other side's epoch alone", {}),
    "OPEN_BEFORE_BUMP": ("going back opens before it bumps", {}),
    "TERM_OF_OWN_SIDE": ("the new term looks at one side only", {"ATTEMPTS": 1}),
    "RECOVER_FORWARD": ("recovery opens the other side where nobody owns", {}),
    "LOG_END_BEFORE_FENCE": ("the log is looked at before the fence", {"ATTEMPTS": 1}),
    "CATCH_UP_GIVES_UP_FORWARDS": ("a catch-up that takes too long goes on", {"ATTEMPTS": 1}),
    "FORGET_BEFORE_COMMIT": ("the log forgets before the receiver has committed", {"ATTEMPTS": 1}),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What spin found in one variant."""

    name: str
    states: int
    seconds: float
    complete: bool  # the whole space was searched
    violated: str  # the assertion, "" if none

    @property
    def good(self) -> bool:
        """The intact model holds everywhere; a broken one is caught."""
        return self.complete and not self.violated if self.name == INTACT else bool(self.violated)


def check(name: str, bounds: dict[str, int], memory_mb: int = 6000) -> Outcome:
    """Search one variant. Raises CalledProcessError where the model cannot be built."""
    if name != INTACT:
        bounds = bounds | VARIANTS[name][1]
    defines = [f"-D{key}={value}" for key, value in bounds.items()] + ([f"-D{name}"] if name != INTACT else [])
    with tempfile.TemporaryDirectory() as home:
        shutil.copy(MODEL, home)
        _run(home, "spin", *defines, "-a", MODEL.name)
        _run(home, "gcc", "-O2", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={memory_mb}", "-o", "pan", "pan.c")
        began = time.monotonic()
        told = _run(home, "./pan", "-m100000")
    violated = re.search(r"assertion violated (.*) \(at depth|(invalid end state) \(at depth", told)
    states = re.search(r"(\d[\d.e+]*) states, stored", told)
    return Outcome(
        name=name,
        states=int(float(states[1])) if states else 0,
        seconds=time.monotonic() - began,
        complete="Search not completed" not in told and "max search depth too small" not in told and bool(states),
        violated=(violated[1] or violated[2]).strip() if violated else "",
    )


def _run(home: str, *command: str) -> str:
    return subprocess.run(command, cwd=home, check=True, capture_output=True, text=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bound", choices=BOUNDS, default="small")
    parser.add_argument("--only", choices=[INTACT, *VARIANTS])
    options = parser.parse_args()
    failed = 0
    for name in [options.only] if options.only else [INTACT, *VARIANTS]:
        # A larger bound is for the intact model; what is broken shows at the small one.
        bound = options.bound if name == INTACT else "small"
        outcome = check(name, BOUNDS[bound], memory_mb=6000 if bound == "small" else 18000)
        failed += not outcome.good
        what = "holds" if name == INTACT and outcome.good else outcome.violated or "NOT CAUGHT"
        guard = VARIANTS[name][0] if name != INTACT else f"nothing is missing ({bound} bound)"
        sys.stdout.write(f"{name:<28} {guard:<60} {outcome.states:>12,} states {outcome.seconds:6.1f} s  {what}\n")
        sys.stdout.flush()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
