"""The model of the cutover holds at the small bound, and every guard that is taken away is missed."""

import shutil

import pytest

from tests.model.run import BOUNDS, INTACT, VARIANTS, check

pytestmark = pytest.mark.skipif(shutil.which("spin") is None, reason="the model checker spin is not installed")


@pytest.mark.timeout(900)
def test_the_protocol_holds_in_every_state():
    outcome = check(INTACT, BOUNDS["small"])
    assert outcome.good, outcome
    assert outcome.states > 10_000_000


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_missing_guard_is_noticed(variant):
    outcome = check(variant, BOUNDS["small"])
    assert outcome.good, outcome
