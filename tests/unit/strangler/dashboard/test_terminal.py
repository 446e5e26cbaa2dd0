"""The same in a terminal."""

import io
from dataclasses import replace

from rich.console import Console

from strangler.dashboard import terminal


def printed(snapshot):
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    terminal.show(snapshot, console)
    return " ".join(console.file.getvalue().split())


def test_it_says_what_the_page_says(canary):
    text = printed(canary)
    for words in (
        "0001_reviews: monolith owns, 10% of the reads go to reviews, one can go back",
        "back: possible, nothing is lost",
        "the <lag> is over the limit",
        "/api/reviews/ monolith 10% reviews 25% 1.4",
        "reviews_review monolith 1 source 1,234, target 0 source 0 s, target none 2025-12-31 23:57:00+00:00, 0 differ",
        "catalog_product monolith, copy at reviews -",
        "3 applied 4 half done 5 open",
        "inconclusive: 12 requests & no more",
        "grace asked for: pause",
        "shadows: 1,200 compared, 2 different",
        "proxy haproxy: has other routes",
        "asked: wish pause, by grace",
        "00:00:59 failed POST /<checkout>/ 302 130.0 ms proxy > orchard > worker 4bf92f3577b34da6a3ce929d0e0e4736",
    ):
        assert words in text, words


def test_words_of_a_record_are_no_markup(canary):
    plan = replace(canary.plans[0], troubles=("[bold]away[/bold]",))
    assert "[bold]away[/bold]" in printed(replace(canary, plans=(plan,)))


def test_without_plans_or_with_trouble_it_says_so(planned):
    assert "There are no plans yet." in printed(replace(planned, plans=()))
    assert "plans do not fit" in printed(replace(planned, plans=(), troubles=("plans do not fit",)))
