import pytest
from hypothesis import given
from hypothesis import strategies as st

from strangler.plans.patterns import Relation, check_pattern, relate

SEGMENTS = st.lists(st.sampled_from(["a", "b", "<x>", "<y>"]), min_size=1, max_size=4)
PATTERNS = SEGMENTS.map(lambda parts: "/" + "/".join(parts) + "/")
PATHS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=5)


def covers(pattern, path):
    parts = pattern.strip("/").split("/")
    return len(path) >= len(parts) and all(p.startswith("<") or p == s for p, s in zip(parts, path, strict=False))


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        ("/api/reviews/", "/api/products/", Relation.APART),
        ("/api/reviews/", "/api/reviewsandmore/", Relation.APART),
        ("/api/<x>/", "/api/<y>/", Relation.SAME),
        ("/api/reviews/top/", "/api/reviews/", Relation.INSIDE),
        ("/api/", "/api/reviews/", Relation.AROUND),
        ("/api/<x>/reviews/", "/api/products/<pk>/", Relation.CROSSING),
    ],
)
def test_patterns_are_compared_by_whole_segments(first, second, relation):
    assert relate(first, second) is relation


@given(PATTERNS, PATTERNS, PATHS)
def test_the_relation_agrees_with_every_path(first, second, path):
    one, two = covers(first, path), covers(second, path)
    relation = relate(first, second)
    assert not (relation is Relation.APART and one and two)
    assert not (relation is Relation.SAME and one != two)
    assert not (relation is Relation.INSIDE and one and not two)
    assert not (relation is Relation.AROUND and two and not one)


@given(PATTERNS, PATTERNS)
def test_the_relation_read_backwards_is_its_mirror(first, second):
    mirror = {Relation.INSIDE: Relation.AROUND, Relation.AROUND: Relation.INSIDE}
    relation = relate(first, second)
    assert relate(second, first) is mirror.get(relation, relation)


@pytest.mark.parametrize("pattern", ["", "/", "api/", "/api", "/api//x/", "/api/<9>/", "/api/<x>y/", "/a b/"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match="is no pattern"):
        check_pattern(pattern)
