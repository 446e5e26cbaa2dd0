import pytest

from strangler.plans.errors import PlanError
from strangler.plans.operations import CopySequence

COPY = CopySequence("reviews.Review.id", margin=100)


def test_it_is_described_with_its_margin_and_reversible():
    assert COPY.describe() == "Copy sequence reviews.Review.id, margin 100"
    assert (COPY.reversible, COPY.final) == (True, False)


def test_a_margin_below_zero_is_refused():
    with pytest.raises(ValueError, match="never goes downwards"):
        CopySequence("invoices", margin=-1)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("reviews.Revue.id", 'unknown model "reviews.Revue"'), ("reviews.Review.no", 'has no field "no"')],
)
def test_a_field_must_exist(state, key, name, sentence):
    with pytest.raises(PlanError, match=sentence):
        CopySequence(name, margin=0).state_forwards(key, state)


def test_the_same_sequence_is_copied_once_by_a_plan(state, key):
    after = COPY.state_forwards(key, state)
    with pytest.raises(PlanError, match="is copied already"):
        COPY.state_forwards(key, after)
    assert len(COPY.state_forwards(type(key)(name="0002_other", service="x"), after).sequences) == 2


def test_without_databases_it_is_one_sentence(world, state, key):
    with pytest.raises(PlanError, match="was given no monolith database"):
        COPY.forwards(world, state, COPY.state_forwards(key, state))
