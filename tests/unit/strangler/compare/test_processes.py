import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.compare.processes import Stat, cpu_seconds, go_on, halt, memory, parse_stat, running, trees

LINE = "42 (a (b) c) S 7 42 42 0 -1 4194560 1 0 0 0 11 22 33 44 20 0 1 0 100 1 1"


def test_a_line_of_the_kernel_with_brackets_in_its_name():
    assert parse_stat(LINE) == Stat(pid=42, parent=7, ticks=110)
    with pytest.raises(ValueError, match="no line"):
        parse_stat("42 (a) S 1")


@given(st.lists(st.integers(0, 8), min_size=1, max_size=8))
def test_a_tree_has_everybody_below_its_root_once_and_parents_first(parents):
    stats = [Stat(pid=pid, parent=min(parent, pid - 1), ticks=1) for pid, parent in enumerate(parents, 1)]
    found = trees(stats, [0, 1, 1])
    pids = [stat.pid for stat in found]
    assert len(pids) == len(set(pids))
    assert all(stat.pid == 1 or pids.index(stat.parent) < pids.index(stat.pid) for stat in found)
    below = {1}
    for stat in stats:
        below |= {stat.pid} if stat.parent in below else set()
    assert set(pids) == below


def test_a_child_that_works_costs_and_one_that_is_halted_does_not():
    child = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert [stat.pid for stat in running([child.pid])] == [child.pid]
        deadline = time.monotonic() + 20
        while cpu_seconds([child.pid]) < 0.1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert memory([child.pid]) > 2**20
        halt([child.pid])
        time.sleep(0.05)
        before = cpu_seconds([child.pid])
        time.sleep(0.1)
        assert cpu_seconds([child.pid]) == before
        go_on([child.pid])
        while cpu_seconds([child.pid]) == before:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        child.kill()
        child.wait()
    assert (cpu_seconds([child.pid]), memory([child.pid]), running([child.pid])) == (0, 0, [])


def test_our_own_children_are_below_us():
    assert os.getpid() in [stat.pid for stat in running([os.getppid()])]
