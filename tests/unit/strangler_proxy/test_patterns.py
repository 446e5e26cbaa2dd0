from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.patterns import Patterns, segments, shape

WORDS = st.sampled_from(["a", "b", "c"])
PATTERNS = st.lists(st.one_of(WORDS, st.just("<pk>")), max_size=4).map(lambda parts: "/".join(["", *parts, ""]))
PATHS = st.lists(WORDS, max_size=5)


def matches(pattern, path):
    parts = shape(pattern)
    return len(parts) <= len(path) and all(part in ("<>", word) for part, word in zip(parts, path, strict=False))


def specificity(pattern):
    """Literal before placeholder at the first difference, then the longer one."""
    return tuple(part != "<>" for part in shape(pattern))


@given(st.lists(PATTERNS, unique_by=shape), PATHS)
def test_all_patterns_that_match_are_found_and_the_most_specific_comes_last(patterns, path):
    expected = sorted((pattern for pattern in patterns if matches(pattern, path)), key=specificity)
    tree = Patterns((pattern, pattern) for pattern in patterns)
    assert list(tree.all(path)) == expected
    assert tree.find(path) == (expected[-1] if expected else None)


def test_a_segment_that_looks_like_a_sign_of_the_trees_own_is_only_a_segment():
    tree = Patterns([("/<pk>/x/", "x"), ("/a/", "a")])
    assert tree.find(["<>", "x"]) == "x"
    assert tree.find(["/"]) is None
    assert segments("/%3C%3E/x/") == ["<>", "x"]
