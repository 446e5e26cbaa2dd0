import os

from strangler.compare.cores import Cores, _own_group, shared_out


def test_the_load_has_a_core_of_its_own_where_there_are_two():
    assert (shared_out({0, 1, 3}, 1).arms, shared_out({0, 1, 3}, 1).load) == ({0, 1}, {3})
    assert (shared_out({2}, 1).arms, shared_out({2}, 1).load) == ({2}, {2})


def test_it_says_what_is_shared_and_what_is_not_bounded(tmp_path):
    cores = Cores(arms=frozenset({0, 1}), load=frozenset({2}), memory=2**31, groups=tmp_path)
    assert str(cores) == (
        "every arm has the cores 0, 1 for all its processes, databases included, by affinity; the load comes from 2, "
        "of its own; memory of an arm: not bounded here, since no memory cgroup can be made: it is measured"
    )
    (tmp_path / "memory.limit_in_bytes").touch()
    assert str(cores).endswith("memory of an arm: 2,048 MB for all its processes together, by a memory cgroup")
    assert "for lack of others" in str(shared_out({0}, 1))


def test_what_is_started_for_an_arm_is_in_its_group_and_on_its_cores_and_we_are_not(tmp_path):
    """On a folder that stands for the kernel's: what is written where."""
    (tmp_path / "memory.limit_in_bytes").touch()
    _own_group(tmp_path).mkdir(parents=True, exist_ok=True)
    some = frozenset({min(os.sched_getaffinity(0))})
    cores, before = Cores(arms=some, load=some, memory=4096, groups=tmp_path), os.sched_getaffinity(0)
    with cores.of_arms("monolith"):
        (group,) = tmp_path.glob("strangler-compare-*")
        assert (group / "memory.limit_in_bytes").read_text() == "4096"
        assert (group / "tasks").read_text().isdigit()
        assert os.sched_getaffinity(0) == some
    assert os.sched_getaffinity(0) == before
