"""What a command costs: seconds, and the memory of it and all its children together."""

import os
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from strangler.compare.processes import proportional

_EVERY = 0.05


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one command. Pages that processes share are counted once."""

    seconds: float
    processor: float
    megabytes: float
    output: str


def cost(command, environment=None):
    """Run a command to its end. Raises CalledProcessError with its output where it fails."""
    began, used = time.monotonic(), os.times()
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    highest = [0]
    watching = threading.Thread(target=_watch, args=(running, highest))
    watching.start()
    output, errors = running.communicate()
    seconds = time.monotonic() - began
    watching.join()
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command, output, errors)
    now = os.times()
    processor = now.children_user + now.children_system - used.children_user - used.children_system
    return Cost(seconds=seconds, processor=processor, megabytes=highest[0] / 2**20, output=output)


def _watch(running, highest):
    while running.poll() is None:
        highest[0] = max(highest[0], sum(map(proportional, _family(running.pid))))
        time.sleep(_EVERY)


def _family(pid):
    """A process and all below it, as far as they are still there."""
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for thread in threads for child in (thread / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _family(int(child))
