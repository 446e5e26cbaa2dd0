"""The page of a record: it stands alone, says everything, and lets nothing through that is not text."""

import re
import time
from html.parser import HTMLParser

import pytest
from django.utils import translation

from strangler.plans.page import record_page
from strangler.plans.recorder import PlanRecorder
from strangler.plans.report import OperationReport, PlanReport
from strangler.plans.standing import BACKWARDS, FORWARDS, Event

REPORT = PlanReport(
    plan="0001_reviews",
    service="reviews",
    dependencies=("0000_before",),
    squash="",
    operations=(
        OperationReport(number=1, operation="Move routes /a/<pk>/", state="half done", final=False),
        OperationReport(number=2, operation="Retire tables", state="open", final=True),
    ),
    problems=(),
)


@pytest.fixture
def recorder(tmp_path):
    recorder = PlanRecorder(tmp_path / "record.jsonl", "0001_reviews", who="ada <admin>")
    record(recorder, Event.STARTED)
    record(recorder, Event.PROGRESS, table="public.review", rows=20042, total=20042)
    record(recorder, Event.STEP, step="switched", pause_ms=1451.25)
    time.sleep(0.01)  # so that it took some time, which is told in milliseconds
    record(recorder, Event.DONE)
    record(recorder, Event.STARTED, BACKWARDS)
    record(recorder, Event.FAILED, BACKWARDS, error="<script>alert(1)</script> lag")
    return recorder


def record(recorder, event, direction=FORWARDS, **facts):
    recorder.append(event, plan_hash="", index=0, operation="Move routes", direction=direction, facts=facts)


class Text(HTMLParser):
    """The page's text, while tags are checked to be closed in order."""

    VOID = {"meta", "br"}

    def __init__(self, page):
        super().__init__()
        self.open, self.words, self.tags = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] != ["style"]:
            self.words += data.split()

    def __str__(self):
        return " ".join(self.words)


def test_the_page_says_what_happened_when_by_whom_and_for_how_long(recorder):
    text = str(Text(record_page(REPORT, recorder.read())))
    for words in (
        "service reviews , after 0000_before",
        "by ada <admin>",
        "2 runs, 1 of them failed or cut off",
        "20,042 rows copied",
        "1451.3 ms longest pause of writes",
        "1. Move routes /a/<pk>/ half done",
        "Retire tables (final: no way back) open",
        "Undone: 1. Move routes failed",
        "<script>alert(1)</script> lag",
        "public.review 20,042 rows",
        "6 lines, each chained to the one before",
        recorder.read().heads[0],
    ):
        assert words in text, words
    assert re.search(r"From \d{4}-\d\d-\d\d \d\d:\d\d:\d\d to .* UTC", text)


def test_nothing_of_a_record_becomes_markup_and_nothing_is_fetched(recorder):
    page = record_page(REPORT, recorder.read())
    tags = Text(page).tags
    assert not [tag for tag, _ in tags if tag in {"script", "link", "img", "iframe", "object"}]
    assert not [attributes for _, attributes in tags if {"src", "href"} & attributes.keys()]
    assert "url(" not in page
    assert "@import" not in page


def test_it_has_a_dark_and_a_printed_form(recorder):
    page = record_page(REPORT, recorder.read())
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize("language", ["de", "fr", "en"])
def test_widths_are_written_for_style_sheets_whatever_the_project_speaks(recorder, language):
    with translation.override(language):
        page = record_page(REPORT, recorder.read())
    widths = re.findall(r'style="width: ([^"]*)%"', page)
    assert len(widths) == 2
    assert max(map(float, widths)) == 100


def test_a_damaged_record_is_told_as_far_as_it_can_be_read(recorder):
    recorder.path.write_text(recorder.path.read_text().replace("switched", "twitched"))
    content = recorder.read()
    (fault,) = content.faults
    text = str(Text(record_page(PlanReport(**{**vars(REPORT), "problems": content.faults}), content)))
    assert fault in text
    assert "Not to be relied on" in text
    assert "each chained" not in text


def test_a_plan_to_which_nothing_has_happened_has_a_page_too(tmp_path):
    text = str(Text(record_page(REPORT, PlanRecorder(tmp_path / "none", "0001_reviews").read())))
    assert "Nothing has happened yet." in text
