import json
import re
from html.parser import HTMLParser

import pytest

from strangler.compare.numbers import number
from strangler.compare.page import page
from strangler.compare.page_faults import kept
from strangler.compare.page_words import in_short, when_to_choose
from strangler.compare.promises import PROMISES
from strangler.compare.results import Results
from strangler.compare.summary import text

NAMES = [promise.name for promise in PROMISES]


def row(arm, part, fault, word, recovered=1.2):
    return {
        "arm": arm,
        "part": part,
        "fault": fault,
        "promises": dict.fromkeys(NAMES, word),
        "asked": dict.fromkeys(NAMES, 4),
        "failed": dict.fromkeys(NAMES, 3 if "fail" in word else 0),
        "recovered": recovered,
    }


@pytest.fixture
def whole(made):
    arms = {"modular": {}, "services": {"cpu": 2, "memory": 2.2, "throughput": 0.5}}
    change = {
        "deployed": [
            {
                "arm": "services",
                "parts": ["reviews"],
                "seconds": 2.5,
                "promises": {},
                "interrupted": dict.fromkeys(NAMES, 1.5) | {"search": 0},
                "failed": dict.fromkeys(NAMES, 7) | {"search": 0},
            }
        ],
        "reaches": [{"where": "a<b.py", "routes": 5, "tasks": 2, "tests": 3, "tables": 4}],
        "parts": [
            {"arm": "services", "processes": 8, "databases": 2, "deployables": 3, "lines": 900, "all_lines": 9000}
        ],
    }
    faults = [
        row("monolith", "orchard", "killed", "fails"),
        row("services", "orchard", "killed", "partly fails", recovered=None),
        row("services", "reviews", "killed", "poorer"),
    ]
    return made(arms, faults=faults, change=change, disk={"services": {"databases": 80.0, "servers": 2, "logs": 1.0}})


class Elements(HTMLParser):
    """Which elements are open, and what they load."""

    VOID = frozenset({"meta", "line", "circle", "link", "br", "img"})

    def __init__(self):
        super().__init__()
        self.open, self.loads = [], []

    def handle_starttag(self, tag, attrs):
        self.loads += [
            value for name, value in attrs if name in {"src", "srcset"} or (tag == "link" and name == "href")
        ]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """It closes itself."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_is_well_formed(whole):
    elements = Elements()
    shown = page(whole)
    elements.feed(shown)
    assert (elements.open, elements.loads) == ([], [])
    assert "@import" not in shown
    assert "url(" not in shown


def test_the_page_holds_its_own_data_and_is_made_again_from_it(whole):
    shown = page(whole)
    data = json.loads(re.search(r'id="results">(.*?)</script>', shown, re.DOTALL)[1])
    assert page(Results.of_json(data)) == shown


def test_nothing_of_the_data_is_taken_for_the_pages_own(made):
    results = made({"</script><b>": {}})
    assert "</script><b>" not in page(results)
    assert "a &lt;fast&gt; one" in page(results)


def test_words_and_colours_of_faults(whole):
    shown = page(whole)
    assert re.search(r"class='cell bad' title='3 of 4 failed'>fails<", shown)
    assert re.search(r"class='cell warn' title='4 asked, none failed'>poorer<", shown)
    assert "not by itself" in shown
    assert (kept(whole, "monolith"), kept(whole, "services")) == ((0, 6), (6, 12))


def test_what_a_release_interrupts(whole):
    shown = page(whole)
    assert "<td>none</td>" in shown
    assert "1.5 s, 7 failed" in shown


def test_the_short_answer_names_what_is_told_apart_and_nothing_else(whole):
    modular, services, _ = in_short(whole)
    assert modular == "modular, held against monolith: nothing shown better; nothing shown worse."
    assert services.startswith(
        "services, held against monolith: nothing shown better; worse in memory of all processes"
    )
    assert "highest rate within the bound of light" in services
    assert "p99" not in services


def test_few_repetitions_are_said_to_be_few(made):
    assert "fewer than 6 repetitions" in next(in_short(made(repetitions=4)))
    assert "better than monolith" not in page(made({"services": {"cpu": 0.1}}, repetitions=4))


def test_the_choice_speaks_of_the_boundary_only_where_it_was_measured(whole, made):
    assert any("of the same code in one process: memory" in told for told in when_to_choose(whole))
    assert not any("boundary made" in told for told in when_to_choose(made()))
    assert any("not told apart" in told for told in when_to_choose(made({"modular": {}, "services": {}})))


def test_the_summary_has_every_figure(whole):
    told = text(whole)
    assert re.search(r"CPU of all processes, a request, ms +[78]\.\d+ \(.*\) +[78].* +1\d\.\d \(.*\) worse\n", told)
    assert "10 repetitions in random order, seed 1" in told
    assert "  - modular, held against monolith: nothing shown better" in told
    assert "The modular monolith is the one to choose while" in told


@pytest.mark.parametrize(("value", "words"), [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23"), (0, "0.00")])
def test_numbers(value, words):
    assert number(value) == words
