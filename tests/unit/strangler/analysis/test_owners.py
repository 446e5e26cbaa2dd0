"""CODEOWNERS as GitHub documents it."""

import pytest

from strangler.analysis.owners import parse, read_owners
from tests.unit.strangler.analysis.places import make


@pytest.mark.parametrize(
    ("pattern", "owned", "others"),
    [
        ("*", ["a", "a/b/c.py"], []),
        ("*.js", ["a.js", "a/b.js"], ["a.jsx", "js"]),
        ("/*", ["a"], ["a/b"]),
        ("docs/*", ["docs/a.md"], ["docs/build/a.md", "x/docs/a.md"]),
        ("docs/", ["docs/a/b.md", "x/docs/a"], ["docs", "mydocs/a"]),
        ("/docs/", ["docs/a/b.md"], ["x/docs/a"]),
        ("docs/**", ["docs/a", "docs/a/b"], ["x/docs/a"]),
        ("**/logs", ["logs", "build/logs/a", "a/b/logs/c/d"], ["mylogs/a"]),
        ("shop/**/api.py", ["shop/api.py", "shop/a/b/api.py"], ["x/shop/api.py"]),
        ("/shop/orders", ["shop/orders", "shop/orders/a/b.py"], ["shop/orders2/a", "x/shop/orders/a"]),
        ("shop/a?c.py", ["shop/abc.py"], ["shop/a/c.py", "shop/ac.py"]),
        ("two\\ words.py", ["two words.py", "a/two words.py"], ["two"]),
        ("/shop\\*/", ["shop*/a"], ["shopping/a"]),
        ("Shop/", ["Shop/a"], ["shop/a"]),
        ("*a*b*c.py", ["abc.py", "xayybzbc.py", "d/abc.py"], ["acb.py", "ab/c.py"]),
        ("/a/**/b/**/c/*.py", ["a/b/c/x.py", "a/b/b/x/c/c/x.py"], ["a/c/b/x.py", "a/b/c/d/x.py"]),
        ("a+b(c).py", ["a+b(c).py"], ["aab(c).py"]),
    ],
)
def test_a_pattern_owns(pattern, owned, others):
    owners = parse([f"{pattern} @us"])
    assert [path for path in (*owned, *others) if owners.of(path) == "@us"] == owned


def test_the_last_pattern_that_matches_counts_also_where_it_names_nobody():
    lines = ["# all of it", "* @all  # and a comment", "", "/shop/ @shop us@shop.example", "/shop/free/", "*.md @words"]
    owners = parse(lines)
    paths = ("a.py", "shop/a.py", "shop/free/a.py", "shop/free/a.md")
    assert [owners.of(path) for path in paths] == ["@all", "@shop us@shop.example", "", "@words"]


def test_what_github_does_not_understand_counts_for_nothing_and_is_told():
    lines = ["* @all", "!a.py @no", "[ab].py @no", "\\#a.py @no", "[Section] @default", "^[Optional][2]", "[Two words]"]
    owners = parse(lines)
    assert owners.of("a.py") == "@all"
    assert [sentence.partition(";")[0] for sentence in owners.left_out] == [
        'CODEOWNERS:2: "!a.py" is a negation, which CODEOWNERS does not have',
        'CODEOWNERS:3: "[ab].py" has a range of characters, which CODEOWNERS does not have',
        'CODEOWNERS:4: "\\#a.py" begins with an escaped #, which GitHub takes for a comment',
    ]


def test_paths_are_those_of_the_whole_repository_also_for_a_project_in_a_folder_of_it(tmp_path):
    files = {"CODEOWNERS": "* @second", ".github/CODEOWNERS": "/back/shop/ @shop", "back/shop/a.py": "", ".git/x": ""}
    make(tmp_path, files)
    assert read_owners(tmp_path / "back").of("shop/a.py") == "@shop"
    assert read_owners(tmp_path).of("shop/a.py") == ""
    (tmp_path / ".github/CODEOWNERS").unlink()
    assert read_owners(tmp_path).of("a.py") == "@second"


@pytest.mark.parametrize(
    ("pattern", "path"),
    [("*a" * 40 + "b", "a" * 200), ("**/a/" * 40 + "b", "a/" * 200), ("/" + "**/" * 40 + "b", "a/" * 200)],
)
def test_patterns_that_could_match_in_many_ways_are_answered(pattern, path):
    owners = parse([f"{pattern} @us"])
    assert owners.of(path + "c") == ""
    assert owners.of(path + "b") == "@us"
