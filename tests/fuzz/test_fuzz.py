"""A short run of the fuzzer, and that it notices a proxy with a guard taken away; `make fuzz` does both at length."""

import pytest

from tests.conformance.engines import LIVE
from tests.fuzz.dialects import DIALECTS
from tests.fuzz.mutants import MUTANTS
from tests.fuzz.reference import STRICT
from tests.fuzz.run import fuzz


def test_nothing_reaches_an_upstream_that_no_client_sent_there():
    found = fuzz(number=1, count=2_000, seconds=60)
    assert not found.wrong
    assert found.sent >= 2_000
    assert min(found.received[name] for name in ("monolith", "reviews", "orders")) > 20, str(found)


@pytest.mark.parametrize("engine", [name for name in DIALECTS if name != "mitmproxy"])
def test_nothing_reaches_an_upstream_behind_another_engine_either(engine):
    _needs(engine)
    found = fuzz(number=1, count=600, seconds=60, engine=engine)
    assert not found.wrong
    assert found.sent >= 600
    assert found.received.total() > 100, str(found)


def test_an_engine_that_takes_more_than_its_dialect_says_is_noticed():
    _needs("haproxy")
    assert fuzz(number=1, count=20_000, seconds=60, engine="haproxy", dialect=STRICT, shrink=False).wrong


@pytest.mark.parametrize("name", ["clients speak as the proxy", "mitmproxy reads headers alone"])
def test_a_proxy_with_a_guard_taken_away_is_noticed(tmp_path, name):
    assert fuzz(number=1, count=20_000, seconds=60, package=MUTANTS[name].make(tmp_path), shrink=False).wrong


def _needs(engine):
    if (missing := LIVE[engine].missing()) is not None:
        pytest.skip(missing)
