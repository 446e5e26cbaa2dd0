"""Processes that are started, found again, and stopped."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from strangler.deploy.ports import free_port
from strangler.deploy.supervisor import Process, ProcessError, Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
WITH_CHILD = "import subprocess, time; subprocess.Popen(['sleep', '61']); time.sleep(60)"


@pytest.fixture
def supervisor(tmp_path):
    made = Supervisor(home=tmp_path / "processes")
    yield made
    for name in made.names():
        made.stop(name)


def alive(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_a_process_is_started_once_and_stopped(supervisor):
    process = Process(name="sleeper", command=SLEEP)
    pid = supervisor.start(process)
    assert supervisor.start(process) == pid
    assert supervisor.names() == ["sleeper"]
    supervisor.stop("sleeper")
    supervisor.stop("sleeper")
    assert not alive(pid)
    assert supervisor.names() == []


def test_its_children_go_with_it(supervisor):
    pid = supervisor.start(Process(name="parent", command=[sys.executable, "-c", WITH_CHILD]))
    deadline = time.monotonic() + 10
    while not (children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    supervisor.kill("parent")
    deadline = time.monotonic() + 5
    while any(alive(child) for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_another_process_stops_what_a_killed_one_started(supervisor):
    script = (
        "import os, signal, sys; from pathlib import Path; from strangler.deploy.supervisor import *;"
        f"Supervisor(home=Path({str(supervisor.home)!r})).start(Process(name='orphan', command={SLEEP!r}));"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = os.pathsep.join(path for path in sys.path if path)
    subprocess.run([sys.executable, "-c", script], check=False, env={**os.environ, "PYTHONPATH": path})
    pid = supervisor.pid("orphan")
    assert pid is not None
    supervisor.stop("orphan")
    assert not alive(pid)


def test_a_number_that_belongs_to_somebody_else_by_now_is_left_alone(supervisor):
    with subprocess.Popen(SLEEP) as somebody:
        supervisor.home.mkdir(parents=True)
        note = {"pid": somebody.pid, "started": "long ago"}
        (supervisor.home / "recycled.pid").write_text(json.dumps(note))
        assert supervisor.pid("recycled") is None
        supervisor.stop("recycled")
        assert somebody.poll() is None
        somebody.kill()


def test_a_process_that_ends_at_once_is_told_with_the_end_of_its_log(supervisor):
    command = ["sh", "-c", "echo the reason; exit 3"]
    process = Process(name="broken", command=command, ready_url=f"http://127.0.0.1:{free_port()}/")
    supervisor.start(process)
    with pytest.raises(ProcessError, match="broken ended while it was starting: the reason"):
        supervisor.wait(process)


def test_a_process_without_an_address_has_to_run_on(supervisor):
    process = Process(name="brief", command=["sh", "-c", "sleep 0.1; echo the reason; exit 3"])
    supervisor.start(process)
    with pytest.raises(ProcessError, match="brief ended while it was starting: the reason"):
        supervisor.wait(process)


def test_a_process_that_never_serves_is_given_up_on(supervisor):
    process = Process(name="silent", command=SLEEP, ready_url=f"http://127.0.0.1:{free_port()}/")
    supervisor.start(process)
    with pytest.raises(ProcessError, match=r"silent is not ready after 0\.3 s: it said nothing"):
        supervisor.wait(process, seconds=0.3)
