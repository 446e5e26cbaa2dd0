"""What traces and spans say, added up, and beside a map."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strangler.analysis.coupling import Kind
from strangler.analysis.graph import graph_of
from strangler.analysis.observed.accesses import access
from strangler.analysis.observed.beside import crossing, picture_of, unseen, with_observed
from strangler.analysis.observed.picture import Picture
from strangler.analysis.observed.reading import read_trace
from strangler.analysis.observed.showing import as_lines, as_text, notes
from strangler.analysis.seams import seam
from strangler.cli import main
from strangler.errors import StranglerError
from tests.unit.strangler.analysis.places import SHOP, make, mapped

HEAD = {
    "trace": 1,
    "share": 1.0,
    "began": "2026-01-01T00:00:00+00:00",
    "until": "2026-01-01T01:00:00+00:00",
    "left_out": 0,
}
WHO = {
    "tables": {"reviews_review": "reviews.Review", "catalog_product": "catalog.Product", "people_user": "people.User"},
    "apps": {"reviews": "shop.reviews", "catalog": "shop.catalog", "people": "shop.people"},
}
SHAPES = [
    {"shape": 0, "sql": 'INSERT INTO "reviews_review" ("rating") VALUES (?)', "vendor": "postgresql"},
    {"shape": 1, "sql": 'UPDATE "catalog_product" SET "name" = ?', "vendor": "postgresql"},
    {
        "shape": 2,
        "sql": 'SELECT "id" FROM "people_user" WHERE "id" = ?',
        "vendor": "postgresql",
        "measured": 4,
        "bytes": 40,
    },
]
SITES = [
    {
        "site": 0,
        "module": "shop.reviews.views",
        "function": "rate",
        "path": "shop/reviews/views.py",
        "line": 5,
        "app": "reviews",
    },
    {
        "site": 1,
        "module": "shop.catalog.services",
        "function": "rated",
        "path": "shop/catalog/services.py",
        "line": 9,
        "app": "catalog",
    },
]
RATE = {
    "entry": "route",
    "name": "POST /rate/<int:pk>/",
    "module": "shop.reviews.views",
    "app": "reviews",
    "units": 2,
    "statements": [[0, 0, 2, 2, 1, 2, 0], [1, 1, 2, 2, 1, 2, 0], [2, 0, 2, 20, 12, 20, 0]],
    "reached": [],
    "transactions": [[[[0, 0], [1, 1]], 2]],
    "signals": [
        ["django.db.models.signals.post_save", "reviews.Review", "reviews", [["shop.catalog.signals.f", "catalog"]], 2]
    ],
    "calls": [["http pay.example:443", 0, True, 2]],
    "tasks": [["reviews.moderate", 0, 2]],
}
PROJECT = {
    **SHOP,
    "shop/reviews/views.py": """
        from shop.catalog.services import rated
        from shop.reviews.models import Review

        def rate(request, pk):
            Review.objects.create(product_id=pk, rating=1)
            rated(pk)
    """,
    "shop/catalog/services.py": """
        from shop.catalog.models import Product

        def rated(pk):
            Product.objects.filter(pk=pk).update(name="x")
    """,
    "shop/urls.py": """
        from django.urls import path
        from shop.reviews import views
        urlpatterns = [path("rate/<int:pk>/", views.rate, name="rate")]
    """,
}


def write(folder, name="trace-1-a.jsonl", lines=(HEAD, WHO, *SHAPES, *SITES, RATE)):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return folder


def picture(folder):
    trace = read_trace(folder)
    return Picture(trace=trace, tables=trace.tables, apps=frozenset(trace.apps))


def span(number, parent=0, kind=3, service="shop", **attributes):
    given = [{"key": key.replace("__", "."), "value": {"stringValue": value}} for key, value in attributes.items()]
    return {
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
        "scopeSpans": [
            {
                "spans": [
                    {
                        "traceId": "t",
                        "spanId": str(number),
                        "parentSpanId": str(parent) if parent else "",
                        "kind": kind,
                        "startTimeUnixNano": "1767225600000000000",
                        "attributes": given,
                    }
                ]
            }
        ],
    }


@pytest.mark.parametrize(
    ("sql", "reads", "writes", "locks"),
    [
        ("UPDATE a SET x = ? FROM b WHERE b.id = a.id", {"b"}, {"a"}, set()),
        ("INSERT INTO a (x) SELECT y FROM b ON CONFLICT (x) DO NOTHING", {"b"}, {"a"}, set()),
        ("DELETE FROM a WHERE x IN (SELECT c.id FROM c)", {"c"}, {"a"}, set()),
        ("WITH q AS (DELETE FROM a RETURNING id) INSERT INTO b SELECT * FROM q", set(), {"a", "b"}, set()),
        ("TRUNCATE TABLE a, b", set(), {"a", "b"}, set()),
        ("SELECT a.x FROM a JOIN b ON b.a = a.id FOR UPDATE", {"a", "b"}, set(), {"a", "b"}),
        ("SELECT a.x FROM a JOIN b ON b.a = a.id FOR UPDATE OF a", {"a", "b"}, set(), {"a"}),
        ("UPDATE a SET ? ? x FROM b WHERE", {"b"}, {"a"}, set()),
        ("NOTIFY", set(), set(), set()),
    ],
)
def test_tables_of_a_shape(sql, reads, writes, locks):
    found = access(sql, "postgresql")
    assert (set(found.reads), set(found.writes), set(found.locks)) == (reads, writes, locks)


def test_transaction_that_writes_in_two_apps_is_shown_with_who_does_it(tmp_path):
    lines = list(as_text(picture(write(tmp_path))))
    at = lines.index("  catalog, reviews: 2 times")
    assert lines[at + 1].strip() == "POST /rate/<int:pk>/ (2): catalog.Product, reviews.Review"


def test_one_line_that_asks_another_app_many_times_is_chatty(tmp_path):
    found = picture(write(tmp_path)).chatty
    assert [(one.label, one.average, one.most) for one in found] == [("people.User", 10.0, 12)]


def test_rows_and_measured_bytes_pass_a_border(tmp_path):
    assert list(as_lines(picture(write(tmp_path)))) == [
        "shop/reviews/views.py:5: reviews reads people.User in POST /rate/<int:pk>/, 20 times in 2, at most 12 in one, "
        "20 rows of about 10 bytes"
    ]


def test_signals_calls_and_tasks_are_told(tmp_path):
    text = "\n".join(as_text(picture(write(tmp_path))))
    assert "post_save of reviews.Review -> shop.catalog.signals.f (catalog): 2 times" in text
    assert "shop/reviews/views.py:5: 2 times within a transaction, to http pay.example:443" in text
    assert "reviews.moderate: 2 times, by POST /rate/<int:pk>/" in text


def test_files_of_several_processes_are_one_picture(tmp_path):
    write(tmp_path)
    # The same things with other numbers, as another process met them in another order.
    other = [
        {**SHAPES[0], "shape": 7},
        {**SITES[0], "site": 9},
        {**RATE, "statements": [[7, 9, 1, 3, 3, 3, 0]], "transactions": [], "units": 1, "calls": [], "tasks": []},
    ]
    write(tmp_path, "trace-2-b.jsonl", [HEAD, WHO, *other])
    trace = read_trace(tmp_path)
    (entry,) = trace.entries.values()
    inserted = next(use for (shape, _), use in entry.uses.items() if shape.text.startswith("INSERT"))
    assert (trace.files, entry.units) == (2, 3)
    assert (inserted.units, inserted.times, inserted.most, inserted.rows) == (3, 5, 3, 5)


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([HEAD, WHO, *SHAPES, *SITES, json.dumps(RATE)[:-30]], "line 8 cannot be read"),
        ([HEAD, WHO, SHAPES[0], *SITES, RATE], "nothing before it has the number 1"),
        ([HEAD, WHO, '{"shape": -1, "sql": "x", "vendor": ""}'], "a number in it is none"),
        ([HEAD, WHO, '{"shape": 1e99, "sql": "x", "vendor": ""}'], "a number in it is none"),
        ([HEAD, WHO, '{"shape": 1, "sql": {}, "vendor": ""}'], "a text in it is none"),
        ([HEAD, "[" * 100_000], "cannot be read"),
        ([HEAD, '{"shape": ' + "9" * 6000 + "}"], "cannot be read"),
        ([HEAD, '"a text"'], "a part of it is no dictionary"),
        ([HEAD, "{}"], "nobody knows what it is"),
        ([HEAD, {**RATE, "statements": [[0]]}], "cannot be read"),
        ([{**HEAD, "trace": 2}], "another version"),
        ([{**HEAD, "share": "all"}], "its share is none"),
        (["\x00\x01\x02"], "neither a trace"),
        ([], "neither a trace"),
        (['{"resourceSpans": 7}'], "no list"),
        (['{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 1}]}]}]}'], "a text in it is none"),
        (
            ['{"data": [{"spans": [{"traceID": "a", "spanID": "b", "tags": [{"key": []}], "processID": {}}]}]}'],
            "a text in it is none",
        ),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path, lines, complaint):
    write(tmp_path, "trace-9-z.jsonl", lines)
    (sentence,) = read_trace(tmp_path).complaints
    assert sentence.startswith("trace-9-z.jsonl")
    assert complaint in sentence
    assert list(as_text(picture(tmp_path)))


@settings(max_examples=60)
@given(at=st.integers(0, 2_000), size=st.integers(0, 40), put=st.binary(max_size=12))
def test_whatever_is_changed_in_a_file_it_is_read_or_said(at, size, put):
    with tempfile.TemporaryDirectory() as name:
        file = write(Path(name)) / "trace-1-a.jsonl"
        whole = file.read_bytes()
        file.write_bytes(whole[:at] + put + whole[at + size :])
        assert list(as_text(picture(Path(name))))


def test_half_a_file_counts_as_far_as_it_goes(tmp_path):
    write(tmp_path)
    whole = (tmp_path / "trace-1-a.jsonl").read_bytes()
    (tmp_path / "trace-1-a.jsonl").write_bytes(whole + whole.splitlines(keepends=True)[-1][:50])
    trace = read_trace(tmp_path)
    assert [entry.units for entry in trace.entries.values()] == [2]
    assert len(trace.complaints) == 1


def test_names_cannot_move_the_cursor_of_a_terminal(tmp_path):
    write(tmp_path, lines=[HEAD, WHO, *SHAPES, *SITES, {**RATE, "name": "GET /\x1b[2J\r\nroot#"}])
    assert not any("\x1b" in line or "\r" in line for line in as_text(picture(tmp_path)))


def test_no_trace_is_said(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(StranglerError, match="there is no trace in"):
            read_trace(place)


def test_command_says_in_one_line_what_is_wrong(tmp_path, capsys):
    assert main(["trace", str(tmp_path / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("strangler: there is no trace in")


def test_json_has_all_of_it(tmp_path, capsys):
    assert main(["trace", str(write(tmp_path)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [held["written"] for held in found["transactions"]] == [["catalog.Product", "reviews.Review"]]
    assert {one["model"] for one in found["across"]} == {"people.User"}


def test_map_gets_what_only_the_trace_saw_and_nothing_twice(tmp_path):
    found = mapped(tmp_path / "project", PROJECT)
    new = unseen(found, picture_of(read_trace(write(tmp_path / "trace")), found))
    assert [str(one) for one in new] == [
        "shop/reviews/views.py:5: shop.reviews.views.rate -> people.User, observed "
        "(reads 20 times, in POST /rate/<int:pk>/)"
    ]
    told = {
        **PROJECT,
        "shop/reviews/jobs.py": "from shop.people.models import User\n\n\ndef f():\n    return User.objects.all()\n",
    }
    found = mapped(tmp_path / "other", told)
    assert unseen(found, picture_of(read_trace(tmp_path / "trace"), found)) == []


def test_seam_shows_the_transactions_and_the_questions_that_pass_it(tmp_path):
    found = mapped(tmp_path / "project", PROJECT)
    seen = picture_of(read_trace(write(tmp_path / "trace")), found)
    graph = graph_of(with_observed(found, seen))
    reviews = seam(graph, "reviews", frozenset(node for node, app in graph.apps.items() if app == "reviews"))
    passing = crossing(graph, reviews, seen)
    assert [sorted(held.written) for held in passing.transactions] == [["catalog.Product", "reviews.Review"]]
    # The update of the product is sent by catalog's own code, but for a request of the reviews.
    assert [(one.entry.name, one.statements) for one in passing.asks] == [("POST /rate/<int:pk>/", 11.0)]
    assert reviews.count(Kind.OBSERVED) == 1
    people = seam(graph, "people", frozenset(node for node, app in graph.apps.items() if app == "people"))
    assert crossing(graph, people, seen).transactions == ()


def test_propose_and_report_show_what_was_observed(tmp_path, capsys):
    root, trace = make(tmp_path / "project", PROJECT), write(tmp_path / "trace")
    assert main(["propose", str(root), "--trace", str(trace), "--seam", "reviews"]) == 0
    assert "POST /rate/<int:pk>/ (2): catalog.Product, reviews.Review" in capsys.readouterr().out
    assert main(["propose", str(root), "--trace", str(trace)]) == 0
    assert "copies    tx   asks" in capsys.readouterr().out
    assert main(["propose", str(root)]) == 0
    assert "asks" not in capsys.readouterr().out
    assert main(["report", str(tmp_path / "page.html"), str(root), "--trace", str(trace)]) == 0
    page = (tmp_path / "page.html").read_text()
    assert "POST /rate/&lt;int:pk&gt;/ (2): catalog.Product, reviews.Review" in page
    assert main(["map", str(root), "--trace", str(trace), "--kind", "observed", "--lines"]) == 0
    assert "people.User, observed" in capsys.readouterr().out


@pytest.mark.parametrize("layout", ["whole", "lines", "jaeger"])
def test_spans_are_read_as_well(tmp_path, layout):
    spans = [
        span(1, kind=2, http__route="rate/<int:pk>/", http__request__method="POST"),
        span(2, 1, db__system="postgresql", db__statement="SELECT id FROM people_user WHERE name = 'Rosebud'"),
        span(3, 1, db__system__name="postgresql", db__query__text="SELECT id FROM people_user WHERE name = 'Other'"),
        span(4, 1, db__system="redis", db__statement="GET Rosebud"),
        span(5, 1, server__address="pay.example", server__port="443"),
        span(6, 1, kind=4, celery__action="apply_async", celery__task_name="reviews.moderate"),
        span(7, kind=5, celery__action="run", celery__task_name="reviews.moderate"),
        span(8, 7, db__system="postgresql", db__statement="UPDATE reviews_review SET rating = 3"),
        span(9, 99, db__system="postgresql", db__statement="SELECT 1 FROM people_user"),
    ]
    if layout == "whole":
        text = json.dumps({"resourceSpans": spans}, indent=1)
    elif layout == "lines":
        text = "".join(json.dumps({"resourceSpans": [one]}) + "\n" for one in spans)
    else:
        text = json.dumps(
            {"data": [{"spans": [_jaeger(one) for one in spans], "processes": {"p": {"serviceName": "shop"}}}]}
        )
    (tmp_path / "spans.json").write_text(text)
    found = mapped(tmp_path / "project", PROJECT)
    seen = picture_of(read_trace(tmp_path / "spans.json"), found)
    entries = {entry.name: entry for entry in seen.trace.entries.values()}
    assert set(entries) == {"POST /rate/<int:pk>/", "reviews.moderate"}
    rate = entries["POST /rate/<int:pk>/"]
    assert (rate.module, rate.app) == ("shop.reviews.views", "reviews")
    assert [(use.units, use.times, use.most) for use in rate.uses.values()] == [(1, 2, 2)]
    assert [where for where, _, _ in rate.calls] == ["http pay.example:443"]
    assert [name for name, _ in rate.tasks] == ["reviews.moderate"]
    assert [(one.app, one.verb, one.label) for one in seen.across] == [("reviews", "reads", "people.User")]
    assert "Rosebud" not in repr(seen.trace)


def _jaeger(given):
    (one,) = given["scopeSpans"][0]["spans"]
    kinds = {2: "server", 3: "client", 4: "producer", 5: "consumer"}
    return {
        "traceID": one["traceId"],
        "spanID": one["spanId"],
        "processID": "p",
        "startTime": 1767225600000000,
        "references": [{"refType": "CHILD_OF", "spanID": one["parentSpanId"]}] if one["parentSpanId"] else [],
        "tags": [{"key": "span.kind", "value": kinds[one["kind"]]}]
        + [{"key": tag["key"], "value": tag["value"]["stringValue"]} for tag in one["attributes"]],
    }


def test_tables_that_nobody_knows_are_named(tmp_path):
    (tmp_path / "spans.json").write_text(
        json.dumps(
            {"resourceSpans": [span(1, kind=2, http__route="a"), span(2, 1, db__statement="SELECT x FROM mystery")]}
        )
    )
    assert list(notes(picture(tmp_path / "spans.json"))) == ["no model is known for mystery"]
