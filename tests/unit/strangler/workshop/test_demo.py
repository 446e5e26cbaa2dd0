"""What a demo leaves behind that was killed."""

import json
import subprocess
import sys

import pytest

from strangler.deploy.supervisor import Process, Supervisor
from strangler.workshop import demo
from strangler.workshop.instance import Instance

HOLD = """
import fcntl, sys, time
lock = open(sys.argv[1], "w")
fcntl.flock(lock, fcntl.LOCK_EX)
print("held")
time.sleep(60)
"""
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A demo's directory with one process of its system, and another process that holds its lock."""
    monkeypatch.setattr(demo, "ROOT", tmp_path)
    home = tmp_path / ".run" / "demo-1"
    Instance(home=home).prepare(None)
    supervisor = Supervisor(home=home / "processes")
    supervisor.start(Process(name="shop", command=SLEEP))
    command = [sys.executable, "-u", "-c", HOLD, str(home / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as owner:
        owner.stdout.readline()
        yield home, supervisor, owner
        owner.kill()
    supervisor.stop("shop")


def test_a_killed_demo_is_stopped_and_removed(left):
    home, supervisor, owner = left
    owner.kill()
    owner.wait()
    pid = supervisor.pid("shop")
    note = json.loads((home / "processes" / "shop.pid").read_text())
    assert note["pid"] == pid
    demo.clear_killed_demos()
    assert not home.exists()
    supervisor.home.mkdir(parents=True)
    (supervisor.home / "shop.pid").write_text(json.dumps(note))
    assert supervisor.pid("shop") is None


def test_a_demo_that_still_runs_is_left_alone(left):
    home, supervisor, _ = left
    demo.clear_killed_demos()
    assert home.exists()
    assert supervisor.pid("shop") is not None
