"""The comparison on real arms, as small as it can be: whether it goes from end to end, not what it finds."""

import os
from dataclasses import replace

import pytest

from strangler.compare.arms import Arm
from strangler.compare.asking import Crowd
from strangler.compare.comparing import Wish, compare
from strangler.compare.cores import shared_out
from strangler.compare.faults import Fault, holding
from strangler.compare.kinds import BESIDE, MODULAR, MONOLITH
from strangler.compare.page import page
from strangler.compare.processes import running
from strangler.compare.results import MEASURES, values
from strangler.compare.routes import slugs_of
from strangler.compare.sizes import QUICK
from strangler.compare.summary import text
from strangler.workshop.instance import ROOT

TINY = replace(QUICK, shop="XS", repetitions=1, idle=0.1, warm_up=0.1, steady=0.4, probe=0.2, probes=1)


def test_two_arms_are_measured_and_reported_and_nothing_is_left_of_them():
    before = {path.name for path in (ROOT / ".run").glob("compare-*")}
    results = compare(Wish(kinds=[MONOLITH, MODULAR], size=TINY, seed=1, memory=2**31, load_alone=True), lambda _: None)
    for arm in ("monolith", "modular"):
        for route in ("light", "heavy", "page"):
            assert values(results.observations, arm, route, "failed") == [0]
        of_routes = {each.measure for each in results.observations if each.arm == arm}
        assert of_routes == set(MEASURES)
    assert results.disk["modular"]["servers"] == 1
    assert "no verdict" not in page(results)
    assert "too few repetitions" in page(results)
    assert "highest rate within the bound" in text(results)
    assert {path.name for path in (ROOT / ".run").glob("compare-*")} == before


@pytest.fixture
def arm(tmp_path_factory):
    arm = Arm(MONOLITH, tmp_path_factory.mktemp("arm"), shared_out(os.sched_getaffinity(0), 2**31), "XS")
    try:
        arm.choose_ports(set())
        arm.set_up()
        arm.begin(BESIDE)
        yield arm
    finally:
        arm.end()


def test_faults_break_what_they_should_and_are_undone(arm):
    crowd = Crowd.at(arm.url, slugs_of(arm.address))
    assert crowd.until_kept(20) is not None
    roots = arm.roots()

    def kept_during(part, fault):
        with holding(arm, part, fault):
            found = {attempt.promise: attempt.kept for attempt in crowd.once()}
        assert crowd.until_kept(20) is not None, f"{part} was {fault} and stays so"
        return {promise for promise, kept in found.items() if kept == "kept"}

    assert kept_during("orchard", Fault.KILLED) == set()
    assert kept_during("payment", Fault.KILLED) == {"search", "page", "profile", "review", "write"}
    assert kept_during("orchard-database", Fault.FILLED).isdisjoint({"write", "order"})
    assert kept_during("broker", Fault.FILLED) >= {"search", "page", "review"}
    assert arm.roots() != roots
    assert len(running(arm.roots())) > len(arm.roots())
