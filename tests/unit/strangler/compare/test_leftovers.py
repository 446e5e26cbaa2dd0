import signal
import subprocess
import sys

import pytest

from strangler.compare.leftovers import folder

HOLDER = """
import sys, time
from pathlib import Path
from strangler.compare.leftovers import folder
with folder(Path(sys.argv[1]), lambda home: None) as home:
    print(home, flush=True)
    time.sleep(60)
"""


def test_it_is_ended_and_removed_however_the_context_is_left(tmp_path):
    ended = []
    with pytest.raises(KeyError), folder(tmp_path, ended.append) as home:
        raise KeyError
    assert ended == [home]
    assert list(tmp_path.iterdir()) == []


def test_a_signal_to_end_is_an_interruption(tmp_path):
    with pytest.raises(KeyboardInterrupt), folder(tmp_path, lambda home: None):
        signal.raise_signal(signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_one_left_is_ended_and_what_a_living_one_has_is_not(tmp_path):
    holders = [
        subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    try:
        killed, living = (holder.stdout.readline().strip() for holder in holders)
        holders[0].kill()
        holders[0].wait()
        ended = []
        with folder(tmp_path, ended.append) as home:
            assert [str(each) for each in ended] == [killed]
            assert sorted(map(str, tmp_path.iterdir())) == sorted([living, str(home)])
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
