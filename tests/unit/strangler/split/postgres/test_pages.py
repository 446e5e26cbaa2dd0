"""What one look at the log has found, a page at a time."""

import pytest

from strangler.split.log import Change
from strangler.split.postgres.pages import Found, Pages

CHANGES = [Change(name="thing", key=None if n == 4 else (f"é {n}\n", str(n))) for n in range(8)]


@pytest.mark.parametrize("count", range(9))
def test_pages_give_back_in_order_what_was_added(count):
    pages = Pages(3)
    pages.extend(CHANGES[:2])
    pages.extend(CHANGES[2:count])
    found = [pages.page(number) for number in range(len(pages))]
    expected = CHANGES[: max(count, 2)]
    assert found == [expected[start : start + 3] for start in range(0, len(expected), 3)]
    assert pages.page(0) == found[0]


def test_the_place_comes_with_the_last_page_only():
    found = Found(3, 0)
    found.pages.extend(CHANGES[:4])
    found.upto = 200
    assert (len(found.read().changes), found.read().numbers) == (3, ())
    found.next_page += 1
    assert (len(found.read().changes), found.read().numbers) == (1, (200,))


def test_nothing_is_one_page_without_a_place():
    found = Found(3, 0)
    assert (found.empty, found.read().changes, found.read().numbers) == (True, [], ())
