"""One cold map in a process of its own: python -m tests.third_party.measuring FOLDER FILE writes it, with its cost.

Two run at a time, each on one processor, so that the cost of one says nothing of the other.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from strangler.analysis.kept import Kept
from strangler.analysis.mapping import Map, make_map
from tests.third_party.figures import Figures, figures


def measured(folder: Path) -> tuple[Map, Figures]:
    """The map of a folder, and what it came to. A crash of the map is a RuntimeError with what it wrote."""
    with tempfile.TemporaryDirectory() as made:
        file = Path(made, "map")
        command = [sys.executable, "-m", "tests.third_party.measuring", str(folder), str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
        if done.returncode:
            raise RuntimeError(f'the map of "{folder.name}" ended with {done.returncode}\n{done.stderr}')
        return pickle.loads(file.read_bytes())  # type: ignore[no-any-return]


def main(folder: Path, file: Path) -> None:
    """Map, measure, write."""
    before = time.process_time()
    found = make_map(folder, Kept(None), processes=1)
    seconds = time.process_time() - before
    file.write_bytes(pickle.dumps((found, figures(found, round(seconds, 1), _peak()))))


def _peak() -> int:
    """MB that this process had at most. Not ru_maxrss, which begins with what the process had that started this one."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
