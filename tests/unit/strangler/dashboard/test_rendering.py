"""The page: it says everything, lets nothing through that is not text, and can be read by everybody."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from django.utils import translation

from strangler.dashboard import rendering
from strangler.dashboard.snapshot import Shadows
from strangler.tracing.logs import Line, Trace
from tests.unit.strangler.dashboard.conftest import BACK, moved, record, snapshot_of, view

CSS = (Path(rendering.__file__).parent / "assets" / "dashboard.css").read_text()


def page_of(snapshot, *, may_steer=False):
    return rendering.page(snapshot, may_steer=may_steer, version="v1")


class Page(HTMLParser):
    """Its text and elements, while tags are checked to be closed in order."""

    VOID = {"meta", "link", "input", "br"}

    def __init__(self, page):
        super().__init__()
        self.open, self.words, self.elements = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data.split()

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def __str__(self):
        return " ".join(self.words)


def test_it_answers_who_serves_who_owns_and_whether_one_can_go_back(canary):
    text = str(Page(page_of(canary)))
    for words in (
        "Who serves reviews 10% of the reads, monolith 90%",
        "Who owns monolith term 1, 3 of 5 operations applied, number 4 half done",
        "Can I go back yes possible, nothing is lost",
        "the <lag> is over the limit",
        "/api/reviews/ monolith monolith and reviews, those with staff first",
        "reviews_review reviews.Review monolith 1",
        "catalog_product catalog.Product (id, name) monolith, read as a copy at reviews –",
        "source 1,234 0 s ago",
        "target 0 none",
        "Compared 4 minutes ago",
        "no row differs",
        "canary at 10% inconclusive 12 requests & no more",
        "success at 10%: <b>as good</b>",
        "grace asked for: pause",
        "1,200 requests compared, 2 different",
        "curl -s 'http://127.0.0.1:8002/api/reviews/?a=<1>'",
        "$.at of GET /api/reviews/ (3 times)",
        "http://127.0.0.1:8000 has the routes 0001_reviews: monolith (1.4)",
        "haproxy has other routes –",
        "00:00:59 failed POST /<checkout>/ 302 130.0 ms proxy → orchard → worker",
        "0001_reviews 4 began Move routes /api/reviews/, /api/votes/ by ada <admin>",
    ):
        assert words in text, words


def test_nothing_of_a_record_or_an_answer_becomes_markup():
    page = page_of(snapshot_of(view(record(*BACK), moved(), troubles=("<i>away</i>",))))
    assert "<script>alert(1)</script>" in str(Page(page))
    assert "<script>alert" not in page
    assert "<i>" not in page


def test_nothing_is_loaded_from_anywhere_else(canary):
    page = Page(page_of(canary, may_steer=True))
    addresses = [
        value for _, attributes in page.elements for name, value in attributes.items() if name in {"src", "href"}
    ]
    assert addresses
    assert not [address for address in addresses if ":" in address or address.startswith("/")]
    assert not [attributes for _, attributes in page.elements if "style" in attributes or "onclick" in attributes]
    assert "url(" not in CSS
    assert "@import" not in CSS


def test_actions_are_there_for_whoever_may_take_them(canary):
    def actions(page):
        return [
            link["href"] for link in page.all("a") if link["href"].startswith("plans/") and "record" not in link["href"]
        ]

    assert actions(Page(page_of(canary))) == []
    offered = [f"plans/0001_reviews/{name}" for name in ("resume", "promote", "abort")]
    assert actions(Page(page_of(canary, may_steer=True))) == offered


def test_its_sections_are_those_that_are_renewed(canary):
    page = Page(page_of(canary))
    found = rendering.sections(canary, may_steer=False)
    assert {attributes["id"] for _, attributes in page.elements if "data-section" in attributes} == set(found)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_what_gets_the_focus_can_get_it_again_after_its_section_was_renewed(canary):
    inside = Page("".join(rendering.sections(canary, may_steer=True).values()))
    focusable = [
        attributes for name, attributes in inside.elements if name in {"summary", "button"} or "tabindex" in attributes
    ]
    assert focusable
    assert all(attributes.get("id") for attributes in focusable)


def test_it_has_landmarks_one_title_and_headings_in_order(canary):
    page = Page(page_of(canary))
    assert [len(page.all(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all("aria-label" in meter for meter in page.all("meter"))
    assert all(cell["scope"] in ("col", "row") for cell in page.all("th"))
    assert [attributes["id"] for _, attributes in page.elements if attributes.get("role") == "status"] == ["said"]


def test_the_same_snapshot_gives_the_same_bytes_in_every_language(canary):
    pages = []
    for language in ("de", "en"):
        with translation.override(language):
            pages.append(page_of(canary))
    assert pages[0] == pages[1]


def test_before_anything_is_done_it_says_so(planned):
    text = str(Page(page_of(planned)))
    assert "0001_reviews: monolith owns, monolith answers all reads, nothing is done yet" in text
    assert "not on the move" in text
    assert "The settings name no proxy." in text
    assert "Nothing has happened yet." in text
    assert "The settings name no logs" in text
    assert "There are none in the last part of the logs." in str(Page(page_of(replace(planned, traces=()))))


def test_what_could_not_be_read_is_told_and_nothing_claimed(canary):
    silent = replace(
        canary.plans[0],
        status=None,
        troubles=("the source database does not answer",),
        shadows=Shadows(service="http://127.0.0.1:8002", seen=None, unseen="the proxy does not answer"),
    )
    text = str(Page(page_of(replace(canary, plans=(silent,), troubles=("a plan does not fit",)))))
    for words in (
        "a plan does not fit",
        "the source database does not answer",
        "Nobody can say now who serves and who owns.",
        "Nothing is known of them: the proxy does not answer",
    ):
        assert words in text, words
    assert "Can I go back" not in text.replace("Who serves, who owns, can I go back", "")


def test_differing_rows_are_told_loudly(canary):
    status = replace(canary.plans[0].status, differences=3)
    text = str(Page(page_of(replace(canary, plans=(replace(canary.plans[0], status=status),)))))
    assert "3 rows differ" in text
    assert "no row differs" not in text


def test_a_trace_has_a_page_with_each_components_line_over_its_time():
    began = datetime(2026, 1, 1, tzinfo=UTC)
    facts = {"trace": "4bf9", "began": began, "status": None}
    lines = (
        Line(component="proxy", text="POST /<checkout>/ 302", milliseconds=200.0, error=False, **facts),
        Line(component="worker", text="ERROR task", milliseconds=None, error=True, **facts),
    )
    made = rendering.trace_page(Trace(id="4bf9", lines=lines), version="v1")
    assert "<checkout>" not in made
    page = Page(made)
    for words in (
        "Began 2026-01-01 00:00:00 UTC , came to proxy, worker. The trace is 4bf9 .",
        "0.0 ms proxy 200.0 ms POST /<checkout>/ 302",
        "0.0 ms worker – failed ERROR task",
    ):
        assert words in str(page), str(page)
    assert [(bar["x"], bar["width"]) for bar in page.all("rect")] == [("0.00", "100.00"), ("0.00", "1.00")]
    assert not [attributes for _, attributes in page.elements if "style" in attributes]
    assert {link["href"] for link in page.all("a")} == {"../"}


def test_an_action_is_confirmed_by_the_plans_name(canary):
    plan = canary.plans[0]
    page = Page(rendering.confirmation(plan, "abort", plan.actions[2], token="t0ken", version="v1"))
    assert "The owner answers all reads again, and the run ends." in str(page)
    (form,) = page.all("form")
    assert form["method"] == "post"
    hidden, typed = page.all("input")
    assert (hidden["value"], typed["name"]) == ("t0ken", "typed")
    assert page.all("label")[0]["for"] == typed["id"]


def test_an_action_that_is_no_longer_offered_has_no_form(canary):
    page = Page(
        rendering.confirmation(canary.plans[0], "abort", None, token="t0ken", version="v1", refused="<too> late")
    )
    assert "<too> late" in str(page)
    assert page.all("form") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_colours_that_text_is_in_can_be_read(scheme):
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w{6})", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#\w{6})", dark))
    pairs = [(ink, paper) for ink in ("text", "soft", "link", "good", "bad") for paper in ("page", "card")]
    pairs += [(name, f"{name}-bg") for name in ("good", "bad", "warn")]
    for ink, paper in pairs:
        assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
    assert contrast("#000000", "#ffffff") == 21


def contrast(one, other):
    """As WCAG 2 has it."""
    darker, lighter = sorted(map(luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
