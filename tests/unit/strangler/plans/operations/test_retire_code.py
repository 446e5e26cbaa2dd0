from dataclasses import replace

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import RetireCode
from strangler.plans.state import Moved


def test_code_that_is_gone_is_accepted(world, state):
    operation = RetireCode(["shop/reviews.py", "json.reviews", "json.JSONDecoder.review", "no_such_package.part"])
    operation.forwards(world, state, state)
    assert not any("still there" in line for line in operation.effects(world, state, state))


@pytest.mark.parametrize("name", ["shop/reviews.py", "json", "json.decoder", "json.loads", "json.JSONDecoder.decode"])
def test_code_that_is_still_there_is_named(world, state, name):
    (world.root / "shop").mkdir()
    (world.root / "shop" / "reviews.py").touch()
    with pytest.raises(PlanError, match=f'code "{name}" is still there; delete it'):
        RetireCode([name]).forwards(world, state, state)
    assert list(RetireCode([name]).effects(world, state, state)) == [
        f"-- code: {name} must be gone (it is still there)"
    ]


def test_code_goes_after_the_tables(state, key):
    moved = replace(state, moved=(Moved(plan=key.name, service="reviews", model="reviews.Review"),))
    with pytest.raises(PlanError, match="put RetireTables before RetireCode"):
        RetireCode(["a.b"]).state_forwards(key, moved)


def test_the_same_code_is_retired_once(state, key):
    with pytest.raises(PlanError, match=r'code "a.b" is retired already'):
        RetireCode(["a.b"]).state_forwards(key, RetireCode(["a.b"]).state_forwards(key, state))
