import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.errors import PlanError
from strangler.plans.graph import PlanGraph


@st.composite
def graphs(draw):
    """Graphs without cycles: the later name may need earlier ones, under shuffled labels."""
    count = draw(st.integers(1, 8))
    names = draw(st.permutations([f"plan_{i}" for i in range(count)]))
    return PlanGraph(
        {name: tuple(sorted(draw(st.sets(st.sampled_from(names[:i]))) if i else ())) for i, name in enumerate(names)}
    )


@given(graphs())
def test_every_plan_comes_after_those_it_depends_on(graph):
    order = graph.order()
    assert sorted(order) == sorted(graph.dependencies)
    for name, needed in graph.dependencies.items():
        assert all(order.index(other) < order.index(name) for other in needed)


@given(graphs())
def test_needing_is_the_mirror_of_needed_by(graph):
    for name in graph.dependencies:
        assert set(graph.needing(name)) == {other for other in graph.dependencies if name in graph.needed_by(other)}


@given(graphs())
def test_a_layer_lies_right_behind_the_last_that_it_needs(graph):
    depth = {name: layer for layer, names in enumerate(graph.layers()) for name in names}
    assert sorted(depth) == sorted(graph.dependencies)
    for name, needed in graph.dependencies.items():
        assert depth[name] == max((depth[other] + 1 for other in needed), default=0)


def test_independent_plans_come_by_name():
    assert PlanGraph({"0002_b": (), "0001_a": (), "0003_c": ("0001_a",)}).order() == ("0001_a", "0002_b", "0003_c")


def test_dependencies_are_followed_to_the_end():
    graph = PlanGraph({"0003_c": ("0002_b",), "0002_b": ("0001_a",), "0001_a": ()})
    assert graph.needed_by("0003_c") == ("0001_a", "0002_b")
    assert graph.needing("0001_a") == ("0003_c", "0002_b")


def test_a_cycle_is_named():
    with pytest.raises(PlanError, match="in a cycle") as caught:
        PlanGraph({"0001_a": ("0002_b",), "0002_b": ("0001_a",)})
    assert "0001_a -> 0002_b -> 0001_a" in str(caught.value) or "0002_b -> 0001_a -> 0002_b" in str(caught.value)


def test_an_unknown_dependency_is_named():
    with pytest.raises(PlanError, match='plan "0001_a" depends on "0009_x", which does not exist'):
        PlanGraph({"0001_a": ("0009_x",)})
