import itertools

import pytest

from strangler.compare.arms import Arm
from strangler.compare.change import lines_of
from strangler.compare.cores import shared_out
from strangler.compare.kinds import KINDS, MODULAR, MONOLITH, NULL, SERVICES, ArmError, kind_of
from strangler.deploy.ports import free_port


def test_arms_are_found_by_name_also_those_of_the_null_test():
    assert [kind_of(name).name for name in KINDS] == list(KINDS)
    assert [kind_of(kind.name) for kind in NULL] == list(NULL)


def test_a_step_of_the_plan_is_an_arm_and_a_step_that_it_has_not_is_none():
    assert (kind_of("0001_reviews@6").plans, kind_of("0001_reviews@6").serves_apart) == (
        (("0001_reviews", "6"),),
        False,
    )
    assert kind_of("0001_reviews@7").serves_apart
    assert not kind_of("0002_notifications@4").serves_apart
    assert (SERVICES.serves_apart, MODULAR.serves_apart) == (True, False)
    for name in ("0001_reviews@8", "0002_notifications@5", "0003@1", "0001_reviews@x", "microlith", ""):
        with pytest.raises(ArmError, match=f'there is no arm "{name}"; there are monolith, modular'):
            kind_of(name)


@pytest.fixture
def arm(tmp_path):
    def made(kind):
        arm = Arm(kind, tmp_path, shared_out({0}, 1), "XS")
        arm.choose_ports(set())
        for name in ("orchard", "reviews"):  # what a server makes when it first starts
            (arm.instance.home / "postgres").mkdir(exist_ok=True)
            (arm.instance.home / "postgres" / f"{name}.password").write_text("x")
        return arm

    return made


def test_an_arm_of_one_process_has_no_part_of_the_services(arm):
    modular = arm(MODULAR)
    names = [process.name for process in modular.processes()]
    assert {"orchard", "worker", "broker"} <= set(names)
    assert {"proxy", "reviews", "replicate", "visitors"}.isdisjoint(names)
    assert modular.kind.databases == ("orchard",)
    assert modular.address[1] == modular.instance.ports["orchard"]
    orchard = modular.process("orchard").environment
    assert orchard["DJANGO_SETTINGS_MODULE"] == "orchard_modular.settings"
    assert orchard["ORCHARD_REVIEWS_MOVED"] == "monolith.reviews.flags.never"


def test_no_two_arms_have_a_port_in_common(tmp_path, monkeypatch):
    free = iter(list({free_port() for _ in range(60)}))
    theirs = next(free)
    chosen = itertools.chain([theirs], free)  # the first that is found is free, but another arm's
    monkeypatch.setattr("strangler.workshop.instance.free_port", lambda: next(chosen))
    taken = {theirs}
    arm = Arm(MONOLITH, tmp_path, shared_out({0}, 1), "XS")
    arm.choose_ports(taken)
    assert theirs not in arm.instance.ports.values()
    assert taken == {theirs, *arm.instance.ports.values()}


def test_the_services_are_the_system_as_it_is_and_asked_at_the_proxy(arm):
    services = arm(SERVICES)
    assert {"proxy", "reviews", "replicate"} <= {process.name for process in services.processes()}
    assert services.kind.databases == ("orchard", "reviews")
    assert services.address[1] == services.instance.ports["proxy"]
    assert services.process("orchard").environment["DJANGO_SETTINGS_MODULE"] == "monolith.settings"


def test_what_waits_before_the_application_delays_its_own_route_alone(arm):
    delayed = arm(NULL[-1]).process("orchard")
    assert "strangler.compare.delayed:application" in delayed.command
    assert delayed.environment["COMPARE_DELAY"] == "/api/reviews/=10"


def test_lines_are_of_code_without_tests_and_blank_ones(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "a.py").write_text("one = 1\n\n# two\n")
    (tmp_path / "tests" / "b.py").write_text("three = 3\n")
    (tmp_path / "c.txt").write_text("no code\n")
    assert lines_of([tmp_path]) == 2
