"""All cases on all live engines, as docs/engines.md says; and that the cases would notice."""

from dataclasses import replace

import pytest
from strangler_proxy.routes import RouteTable

from strangler.rollout.engines.base import NotCarried
from tests.conformance import report
from tests.conformance.case import Case, Request, Seen, ask, table
from tests.conformance.cases import by_feature
from tests.conformance.engines import LIVE
from tests.conformance.run import Outcome, run

FEATURES = by_feature()


@pytest.mark.parametrize("feature", FEATURES)
@pytest.mark.parametrize("engine", LIVE)
def test_an_engine_does_what_the_cases_say_and_its_documentation_counts_them(engine, feature, stages):
    outcomes = run(stages(engine), FEATURES[feature])
    assert [str(outcome) for outcome in outcomes if outcome.wrong] == []
    assert report.written()[engine][feature] == report.cell(outcomes), 'write the table anew with "make engines"'


def test_the_documentation_has_all_engines_and_features_and_no_others():
    assert {engine: list(column) for engine, column in report.written().items()} == {
        engine: list(FEATURES) for engine in LIVE
    }


def test_names_of_cases_say_which_one_it_is():
    for feature, cases in FEATURES.items():
        names = [case.name for case in cases]
        assert len(names) == len(set(names)), f"{feature}: {sorted({name for name in names if names.count(name) > 1})}"


class Swapped:
    """An engine that takes every owner for the candidate."""

    def __init__(self, inner):
        self._inner = inner

    def apply(self, given: RouteTable) -> None:
        swapped = tuple(replace(move, owner=move.candidate, candidate=move.owner) for move in given.moves)
        self._inner.apply(replace(given, moves=swapped))

    def __getattr__(self, name):
        return getattr(self._inner, name)


def test_an_engine_that_routes_to_the_wrong_side_is_noticed(stages):
    wrong = replace(stages("mitmproxy"), engine=Swapped(stages("mitmproxy").engine))
    noticed = [outcome for outcome in run(wrong, FEATURES["precedence and backtracking"]) if outcome.wrong]
    assert len(noticed) > 50
    assert any(outcome.wrong for outcome in run(wrong, FEATURES["weights and buckets"][:20]))


@pytest.mark.parametrize(
    "wrong",
    [
        Seen(upstream="reviews"),
        Seen(upstream=None),
        Seen(statuses=(404,)),
        Seen(target="/other/"),
        Seen(received={"via": None}),
        Seen(received={"x-nothing": "x"}),
        Seen(answered={"via": "another"}),
    ],
    ids=str,
)
def test_whatever_else_was_seen_is_noticed(wrong, stages):
    request = Request(target="/x/", method="POST", body=b"a body")
    cases = [Case(name="it", feature="x", table=table(), play=ask(request, seen)) for seen in (Seen(), wrong)]
    right, noticed = run(stages("mitmproxy"), cases)
    assert (right.wrong, bool(noticed.wrong)) == ("", True)


class Refusing:
    """An engine that carries nothing."""

    def apply(self, given):
        raise NotCarried("it cannot do that")


def test_what_an_engine_does_not_carry_is_not_played_and_listed(stages):
    refusing = replace(stages("mitmproxy"), engine=Refusing())
    outcomes = run(refusing, FEATURES["methods"])
    assert {outcome.refused for outcome in outcomes} == {"it cannot do that"}
    assert report.cell(outcomes) == f"{len(FEATURES['methods'])} refused"
    assert report.cell([*outcomes[:3], Outcome(case=outcomes[0].case)]) == "1, 3 refused"


def test_the_table_that_was_written_is_the_one_that_is_read(tmp_path):
    document = tmp_path / "engines.md"
    document.write_text("before\n<!-- cases -->\nolder\n<!-- end of cases -->\nafter\n")
    cells = {"one": {"methods": "50", "shadow": "6 refused"}, "two": {"methods": "1, 49 refused", "shadow": "6"}}
    report.write(cells, document)
    assert report.written(document) == cells
    assert document.read_text().startswith("before\n")
    assert document.read_text().endswith("\nafter\n")
