"""How calls are told to go wrong."""

import pytest

from strangler.workshop.aws.behaviour import Behaviour, Fault


def test_a_fault_lasts_for_as_many_calls_as_are_named():
    behaviour = Behaviour()
    behaviour.behave({"service": "ses", "status": 503, "times": 2})
    assert [behaviour.meet("ses").status for _ in range(3)] == [503, 503, 0]


def test_without_a_number_it_lasts_until_it_is_taken_back():
    behaviour = Behaviour()
    behaviour.behave({"service": "sns", "lost": True})
    assert all(behaviour.meet("sns").lost for _ in range(10))
    behaviour.behave({"service": "sns"})
    assert behaviour.meet("sns") == Fault()


def test_other_services_go_on():
    behaviour = Behaviour()
    behaviour.behave({"service": "ses", "status": 500})
    assert behaviour.meet("sqs") == Fault()


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"status": 503}, "service"),
        ({"service": "s3"}, "'s3'"),
        ({"service": "ses", "status": 200}, "200"),
        ({"service": "ses", "delay": 3600}, "3600"),
        ({"service": "ses", "delay": "long"}, "str"),
        ({"service": "ses", "times": 0}, "0"),
        ({"service": "ses", "often": True}, "often"),
    ],
)
def test_what_is_not_understood_changes_nothing(wanted, named):
    behaviour = Behaviour()
    with pytest.raises((ValueError, TypeError), match=named):
        behaviour.behave(wanted)
    assert behaviour.meet("ses") == Fault()
