"""Who was observed to run what a change touches."""

import json

from strangler.analysis.observed.running import as_text, who_ran
from strangler.analysis.observed.trace import Entry, Fired, Shape, Site, Trace
from strangler.cli import main
from tests.unit.strangler.analysis.repositories import begin
from tests.unit.strangler.analysis.test_observed import PROJECT, write

SELECT = Shape(text="SELECT a FROM t", vendor="")
RATE = Site(module="shop.reviews.views", function="rate.<locals>.inner", path="shop/reviews/views.py", line=5)
PAGE = Site(path="shop/templates/catalog/page.html", line=3)


def trace(*entries):
    found = Trace()
    for entry in entries:
        found.add(entry)
    return found


def route(name="GET /rate/<int:pk>/", **given):
    return Entry(kind="route", name=name, units=2, **given)


def used(site, entry):
    entry.use(SELECT, site)
    return entry


def test_a_line_within_a_definition_counts_and_its_namesake_does_not():
    seen = trace(used(RATE, route()))
    assert [one.name for one in who_ran(seen, ["shop.reviews.views.rate"], [])] == ["GET /rate/<int:pk>/"]
    assert who_ran(seen, ["shop.reviews.views.rat", "reviews.views.rate"], []) == []


def test_templates_calls_tasks_receivers_and_what_a_test_reached_count():
    entry = route(
        reached={(SELECT, PAGE)},
        calls={("http a:1", Site(module="m", function="calls", line=1), False): 1},
        tasks={("t", Site(module="m", function="sends", line=1)): 1},
        signals={Fired(signal="s", sender="", sender_app="", receivers=(("m.hears", "m"),)): 1},
    )
    for node in ("template catalog/page.html", "m.calls", "m.sends", "m.hears"):
        assert len(who_ran(trace(entry), [node], [])) == 1
    assert who_ran(trace(entry), ["template page.htm", "m.other"], []) == []


def test_what_the_files_name_too_is_told_apart():
    test = used(RATE, Entry(kind="test", name="tests/test_x.py::test_y", units=1))
    seen = trace(used(RATE, route()), used(RATE, route("GET /other/")), test)
    ran = who_ran(seen, ["shop.reviews.views.rate"], [("route", "/rate/<pk>/ (rate)")])
    assert list(as_text(ran)) == [
        "\nobserved to run it",
        "  +GET /other/, 2",
        "  GET /rate/<int:pk>/, 2",
        "  +test tests/test_x.py::test_y, 1",
        "\n+ the files alone do not name it",
    ]


def test_blast_takes_a_trace(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root, traces = begin(tmp_path / "work", PROJECT), write(tmp_path / "trace")
    asked = ["blast", "shop/reviews/views.py", "--project", str(root), "--trace", str(traces)]
    assert main(asked) == 0
    assert "observed to run it\n  POST /rate/<int:pk>/, 2" in capsys.readouterr().out
    assert main([*asked, "--json"]) == 0
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["observed"]] == ["POST /rate/<int:pk>/"]
