"""What two versions of a file have differently, by the names of what they define."""

from textwrap import dedent

import pytest

from strangler.analysis.reach.defining import REST, at_lines, definitions, differing

BEFORE = '''
    """A module."""
    import os
    from a import b, c

    SIZE = 24
    if os.name == "posix":
        HOME = "/"

    @b
    def find(name):
        """Finds."""
        def inner():
            return name
        return inner()

    class Shop(c):
        open = True

        class Meta:
            ordering = ["id"]

        def sell(self):
            return 1

    print(SIZE)
'''


def differing_after(old, new, before=BEFORE):
    after = before.replace(old, new)
    assert after != before
    found = (definitions(dedent(text).encode()) for text in (before, after))
    return list(differing(*found))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("return name", "return None", [("find", "changed")]),
        ("@b", "@b(1)", [("find", "changed")]),
        ("open = True", "open = False", [("Shop", "changed")]),
        ("Shop(c)", "Shop", [("Shop", "changed")]),
        ('["id"]', '["-id"]', [("Shop.Meta", "changed")]),
        ("return 1", "return 2", [("Shop.sell", "changed")]),
        ("def sell", "def buy", [("Shop.buy", "added"), ("Shop.sell", "removed")]),
        ("SIZE = 24", "SIZE = 25", [("SIZE", "changed")]),
        ('"/"', '"/home"', [("HOME", "changed")]),
        ("import b, c", "import c, b", []),
        ("from a import b", "from z import b", [("b", "changed"), ("c", "changed")]),
        ("import os", "import os, sys", [("sys", "added")]),
        ("print(SIZE)", "print(1)", [(REST, "changed")]),
        ('"posix"', '"nt"', [(REST, "changed")]),
        ("Finds.", "Looks for.", []),
        ("return 1", "# what it costs\n            return  1", []),
        ("A module.", "The module.", []),
        ("SIZE = 24", "SIZE = 24\n\n    LESS = 2", [("LESS", "added")]),
    ],
)
def test_what_differs(old, new, expected):
    assert differing_after(old, new) == expected


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("@b", "find"),
        ("return name", "find"),
        ("open = True", "Shop"),
        ("ordering", "Shop.Meta"),
        ("return 1", "Shop.sell"),
        ("HOME", "HOME"),
        ("from a", "b c"),
        ("print", REST),
        ('"""A', None),
    ],
)
def test_a_line_is_in_the_innermost_definition(line, name):
    text = dedent(BEFORE)
    number = next(number for number, each in enumerate(text.splitlines(), 1) if line in each)
    names = name.split(" ") if name is not None else []
    assert at_lines(definitions(text.encode()), [number]) == names


def test_lines_of_a_class_and_of_its_methods_are_both_in_it():
    text = dedent(BEFORE)
    first = next(number for number, each in enumerate(text.splitlines(), 1) if "class Shop" in each)
    assert at_lines(definitions(text.encode()), range(first, first + 9)) == ["Shop", "Shop.Meta", "Shop.sell"]
