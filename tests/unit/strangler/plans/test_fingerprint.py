"""What counts as an edit of a plan that is applied, and what does not."""

import enum
import functools
import importlib.util
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.errors import PlanError
from strangler.plans.fingerprint import fingerprint
from strangler.plans.operations import MoveRoutes, MoveTables


class Mode(enum.Enum):
    FAST = 1


@dataclass(frozen=True)
class Holds:
    value: object
    extra: list = field(default_factory=list)


def of(value, **more):
    return fingerprint("reviews", [Holds(value, **more)])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(VALUES, VALUES)
def test_only_equal_values_share_a_fingerprint(one, other):
    assert (of(one) == of(other)) == (repr(one) == repr(other) or _same(one, other))


def _same(one, other):
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and repr(one) == repr(other)


def test_a_field_with_its_default_does_not_count():
    @dataclass(frozen=True)
    class Holds:
        value: object
        extra: list = field(default_factory=list)
        added_by_a_later_toolkit: int = 3

    assert fingerprint("reviews", [_renamed(Holds)(1)]) == of(1)
    assert of(1, extra=[2]) != of(1)


def _renamed(kind):
    kind.__qualname__ = "Holds"
    return kind


@pytest.mark.parametrize(
    "edited",
    [
        [MoveTables(["a.A", "a.B"])],
        [MoveTables(["a.B"]), MoveRoutes(["/a/"])],
        [MoveTables(["a.A"]), MoveRoutes(["/a/"], hold=3)],
        [MoveRoutes(["/a/"]), MoveTables(["a.A"])],
    ],
)
def test_every_edit_of_an_operation_counts(edited):
    assert fingerprint("reviews", edited) != fingerprint("reviews", [MoveTables(["a.A"]), MoveRoutes(["/a/"])])


def test_the_service_counts_and_how_lists_are_written_does_not():
    assert fingerprint("a", [MoveTables(["a.A"])]) != fingerprint("b", [MoveTables(["a.A"])])
    assert fingerprint("a", [MoveTables(["a.A"])]) == fingerprint("a", [MoveTables(("a.A",))])


def test_values_of_several_kinds_are_told_apart():
    values = ["1", 1, 1.0, True, b"1", Decimal("1"), timedelta(1), Path("1"), Mode.FAST, {"1"}, ["1"], {"1": 1}, None]
    assert len({of(value) for value in values}) == len(values)


def load(path, text):
    """As the loader runs a plan file: under no name by which it could be imported."""
    path.write_text(text)
    spec = importlib.util.spec_from_file_location("_strangler_plan_0001_reviews", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FILE = """
def fill(world):
    return {value}

def adder(n):
    def add(world):
        return n
    return add
"""


def test_a_function_of_the_plan_file_counts_by_its_text(tmp_path):
    one = load(tmp_path / "one.py", FILE.format(value=1))
    moved = load(tmp_path / "moved.py", "# a comment above\n\n\n" + FILE.format(value=1) + "\n\ndef other(): ...\n")
    edited = load(tmp_path / "edited.py", FILE.format(value=2))
    assert of(one.fill) == of(moved.fill)
    assert of(one.fill) != of(edited.fill)


def test_what_a_function_was_made_with_counts_too(tmp_path):
    module = load(tmp_path / "plan.py", FILE.format(value=1))
    assert of(module.adder(1)) == of(module.adder(1)) != of(module.adder(2))
    assert of(functools.partial(module.fill, 1)) != of(functools.partial(module.fill, 2))


def test_an_imported_function_counts_by_its_name():
    assert of(load) == of(load)
    assert of(load) != of(of)


@pytest.mark.parametrize("value", [lambda world: 1, object(), iter([])], ids=["lambda", "object", "iterator"])
def test_what_cannot_be_told_from_another_is_refused(value):
    with pytest.raises(PlanError, match="has no fingerprint; "):
        of(value)


def test_a_value_that_contains_itself_is_refused():
    value = []
    value.append(value)
    with pytest.raises(PlanError, match="contains itself"):
        of(value)


def test_a_function_without_a_source_is_refused():
    namespace = {}
    exec("def made(world): ...", namespace)
    with pytest.raises(PlanError, match='source of function "made" cannot be read'):
        of(namespace["made"])
