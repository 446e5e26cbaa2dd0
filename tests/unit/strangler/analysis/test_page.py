"""The report: one page that stands alone, and carries its history."""

import json
import re
from html.parser import HTMLParser

import pytest

from strangler.analysis.graph import graph_of
from strangler.analysis.history.commits import Together
from strangler.analysis.history.drift import Point, history_of, point
from strangler.analysis.page import page
from strangler.analysis.seams import find_seams
from strangler.cli import main
from tests.unit.strangler.analysis.places import SHOP, make, mapped
from tests.unit.strangler.analysis.repositories import begin, commit, git

EVIL = {**SHOP, "shop/catalog/evil.py": "SQL = 'DELETE FROM reviews_review -- </script><script>alert(1)</script>'"}


class Page(HTMLParser):
    """Which elements there are, that each is closed, and where links lead."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.loads = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if "id" in given:
            assert given["id"] not in self.ids
            self.ids.add(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        self.loads += [given[name] for name in ("src", "data") if name in given] + ([tag] if tag == "link" else [])
        if tag not in ("meta", "input"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def made(root, files, history=()):
    found = mapped(root, files)
    graph = graph_of(found)
    return page("shop", found, graph, find_seams(graph), [*history, point(found, "2026-01-02", "abc1234")])


def test_a_page_is_whole_loads_nothing_and_its_links_lead_somewhere(tmp_path):
    text = made(tmp_path, SHOP)
    read = Page(text)
    assert (read.open, read.loads) == ([], [])
    assert len(read.links) == 4
    assert {link.removeprefix("#") for link in read.links} <= read.ids
    assert "http" not in text
    assert "shop/reviews/models.py:5: reviews.Review -&gt; catalog.Product, foreign key (product)" in text
    assert "$" not in re.sub(r"<script>.*</script>", "", text, flags=re.DOTALL)


def test_nothing_of_a_project_becomes_a_part_of_the_page(tmp_path):
    text = made(tmp_path, {**EVIL, "shop/<b>/__init__.py": "", "shop/<b>/models.py": SHOP["shop/reviews/models.py"]})
    assert Page(text).open == []
    assert "alert(1)" not in text
    assert "&lt;b&gt;" in text


def test_the_history_is_carried_on_and_what_changed_is_said(tmp_path):
    before = Point(when="2025-12-31", commit="0f0f0f0", couplings=3, weights={"reviews -> catalog": 14, "a -> b": 2})
    text = made(tmp_path, SHOP, [before])
    assert "Weights that changed: reviews -&gt; people +10, reviews -&gt; catalog -4, a -&gt; b -2" in text
    assert [one.when for one in history_of(text)] == ["2025-12-31", "2026-01-02"]
    assert history_of(text)[0] == before
    assert history_of("<html>") == []


@pytest.mark.parametrize("text", ['<script id="summary" type="application/json">[{"x": 1}]</script>', "nothing"])
def test_what_is_no_report_has_no_history(text):
    assert history_of(text) == []


def test_the_command_writes_a_page_and_the_next_one_goes_on_from_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project, file = str(make(tmp_path / "project", SHOP)), tmp_path / "map.html"
    assert main(["report", str(file), project]) == 0
    assert main(["report", str(file), project]) == 0
    assert len(history_of(file.read_text())) == 2
    kinds = re.search(r"const kinds = (\[.*?\]),", file.read_text())
    assert json.loads(kinds[1]) == ["foreign key"]
    other = tmp_path / "letter.html"
    other.write_text("Dear all")
    assert main(["report", str(other), project]) == 1
    assert "is no report" in capsys.readouterr().err
    assert other.read_text() == "Dear all"


def test_what_is_changed_together_stands_beside_what_the_map_has_between_the_two(tmp_path):
    found = mapped(tmp_path, SHOP)
    graph = graph_of(found)
    pairs = [
        Together(one="<catalog>", other="reviews", both=8, first=8, second=10, commits=40),
        Together(one="catalog", other="reviews", both=9, first=9, second=10, commits=40),
    ]
    text = page("shop", found, graph, [], [point(found, "2026-01-02", "abc1234")], together=pairs)
    assert Page(text).open == []
    assert "<td>&lt;catalog&gt;, reviews</td><td>8</td><td>100%</td><td>4.0</td><td>0</td>" in text
    assert "<td>catalog, reviews</td><td>9</td><td>100%</td><td>4.0</td><td>10</td>" in text


@pytest.fixture
def grown(tmp_path, monkeypatch):
    """A project whose reviews came, and then a view of them."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    project = begin(tmp_path / "project", {path: text for path, text in SHOP.items() if "reviews" not in path})
    commit(project, SHOP)
    commit(project, {"shop/reviews/views.py": "import shop.catalog.models"})
    commit(project, {"shop/reviews/views.py": "import shop.catalog.models\nimport shop.people.models"})
    return project


@pytest.mark.parametrize(
    ("options", "couplings"),
    [
        (["--commits", "2"], [2, 3, 4]),
        (["--commits", "9"], [0, 2, 3, 4]),
        (["--since", "HEAD~3", "--commits", "2"], [0, 2, 4]),
        (["--since", "HEAD~1"], [3, 4]),
    ],
)
def test_a_first_report_may_have_a_history_of_earlier_commits(grown, tmp_path, options, couplings):
    file = tmp_path / "map.html"
    (grown / "shop/reviews/views.py").write_text("import shop.catalog.models\nimport shop.people.models\n\n")
    assert main(["report", str(file), str(grown), *options]) == 0
    assert [one.couplings for one in history_of(file.read_text())] == couplings
    assert git(grown, "status", "--short") == "M shop/reviews/views.py"  # the work tree is as it was
    assert main(["report", str(file), str(grown), *options]) == 0
    assert [one.couplings for one in history_of(file.read_text())] == [*couplings, 4]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--commits", "0"], "--commits is a number from 1 on"),
        (["--since", "nowhere"], '"nowhere" is no commit of'),
    ],
)
def test_a_history_that_is_not_there_is_told_and_nothing_is_written(grown, tmp_path, capsys, options, told):
    assert main(["report", str(tmp_path / "map.html"), str(grown), *options]) == 1
    assert told in capsys.readouterr().err
    plain = make(tmp_path / "plain", SHOP)
    assert main(["report", str(tmp_path / "map.html"), str(plain), "--commits", "1"]) == 1
    assert "is no git repository" in capsys.readouterr().err
    assert not (tmp_path / "map.html").exists()
