"""What is written of plans is read back as it was."""

import sys
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.errors import PlanError
from strangler.plans.operations import ArchiveTables, DropTables, Limits, MoveRoutes, MoveTables, RetireCode
from strangler.plans.plan import Plan
from strangler.plans.source import source_of


@dataclass(frozen=True)
class Odd(RetireCode):
    """Its first field has a default, its second holds anything."""

    code: tuple = ()
    value: object = None


def plan(*operations):
    body = {"service": "reviews", "operations": operations, "dependencies": ["0000_a"]}
    return type("Plan", (Plan,), body)("0001_reviews", None)


def read_back(*plans):
    namespace = {}
    exec(source_of(plans, lambda plan: ["abc"]), namespace)
    return namespace["Plan"].replaces


WORDS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=4, unique=True)


@given(WORDS, st.floats(0, 1e6, allow_nan=False), st.sets(st.integers(1, 10_000), min_size=1, max_size=5))
def test_whatever_values_operations_hold_they_are_read_back_from_what_is_written(words, hold, canary):
    operations = [
        MoveTables(words),
        MoveRoutes(["/a/"], canary=sorted(canary), hold=hold, overlapping=words, limits=None),
        MoveRoutes(["/b/"], limits=Limits(minimum=max(canary), slack=hold)),
        RetireCode(words),
    ]
    (squashed,) = read_back(plan(*operations))
    assert list(squashed.operations) == operations
    assert (squashed.name, squashed.service, squashed.dependencies) == ("0001_reviews", "reviews", ["0000_a"])
    assert squashed.record == ["abc"]


@given(st.timedeltas(min_value=timedelta(0)))
def test_a_waiting_time_is_read_back_to_the_microsecond(after):
    operations = [ArchiveTables(["a.A"], to="archive", after=after), DropTables(["a.A"], after=after)]
    (squashed,) = read_back(plan(*operations))
    assert squashed.operations == operations


def test_a_field_after_one_with_its_default_is_named():
    (squashed,) = read_back(plan(Odd(value={"a": [1, None, True, 0.5]})))
    assert squashed.operations == [Odd(value={"a": [1, None, True, 0.5]})]


def test_operations_of_several_modules_are_imported_from_theirs():
    text = source_of([plan(Odd(), MoveTables(["a.A"]), RetireCode(["b"]))], lambda plan: ())
    assert f"\nfrom {__name__} import Odd\n" in text
    assert "\nfrom strangler.plans.operations import MoveTables, RetireCode\n" in text


def test_no_line_is_too_long_where_it_can_be_broken():
    routes = [f"/a/route/number/{number}/" for number in range(4)]
    text = source_of([plan(MoveRoutes(routes, overlapping=["/" * 60]))], lambda plan: ())
    assert max(map(len, text.splitlines())) <= 120


@pytest.mark.parametrize("value", [print, lambda: 1, {1}])
def test_a_value_that_is_not_plain_is_refused_with_its_place(value):
    with pytest.raises(PlanError, match=r'operation 1 of plan "0001_reviews" holds .*, which cannot be written down'):
        source_of([plan(Odd(value=value))], lambda plan: ())


def test_two_classes_of_one_name_are_refused_since_only_one_could_be_imported(monkeypatch):
    other = ModuleType("other_operations")
    other.Odd = type("Odd", (RetireCode,), {"__module__": other.__name__})
    monkeypatch.setitem(sys.modules, other.__name__, other)
    with pytest.raises(PlanError, match='operation 2 of plan "0001_reviews" shares its class\'s name with another one'):
        source_of([plan(Odd(), other.Odd(["shop"]))], lambda plan: [])
