"""Which traces are shown, and where each component's line lies in its trace."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured

from strangler.dashboard import traces
from strangler.dashboard.traces import latest, spans
from strangler.errors import StranglerError
from strangler.tracing.logs import Line, Trace, traces_of
from tests.unit.strangler.tracing.test_logs import OTHER, TRACE, line

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def told(trace, component="proxy", after=0, took=None, *, failed=False):
    return Line(
        trace=trace,
        began=BEGAN + timedelta(milliseconds=after),
        milliseconds=took,
        component=component,
        text=f"GET /{trace}/",
        status=None,
        error=failed,
    )


def request(name, *, failed=False, components=("proxy", "orchard")):
    return Trace(id=name, lines=tuple(told(name, component, failed=failed) for component in components))


def test_what_came_to_one_component_alone_is_left_out_unless_it_went_wrong():
    shown = latest([request("a", components=["proxy"]), request("b"), request("c", components=["proxy"], failed=True)])
    assert [(one.id, one.failed) for one in shown] == [("c", True), ("b", False)]
    assert shown[1].components == ("proxy", "orchard")


def test_the_latest_of_each_way_are_shown_so_that_what_is_rare_or_went_wrong_stays_longest_the_newest_first():
    order = request("order", components=("proxy", "orchard", "worker"))
    wrong = [request(f"wrong {number}", failed=True) for number in range(4)]
    pages = [request(f"page {number}") for number in range(50)]
    shown = [one.id for one in latest([order, *wrong, *pages])]
    assert shown == ["page 49", "page 48", "page 47", "wrong 3", "wrong 2", "wrong 1", "order"]


def test_however_many_ways_there_are_the_list_has_an_end():
    assert len(latest([request(f"{number}", components=("proxy", f"worker {number}")) for number in range(99)])) == 24


def test_a_line_lies_in_its_traces_time_as_long_as_it_took():
    (found,) = traces_of([told("a", took=200.0), told("a", "orchard", 50, 100.0), told("a", "worker", 400)])
    assert [(span.after, span.left, span.width) for span in spans(found)] == [(0, 0, 50), (50, 12.5, 25), (400, 99, 1)]


def test_a_trace_of_one_moment_has_a_place_as_well():
    assert [(span.left, span.width) for span in spans(request("a", components=["proxy"]))] == [(0, 1)]


@pytest.fixture
def logs(settings, tmp_path):
    settings.STRANGLER = {"LOGS": str(tmp_path)}
    for component in ("proxy", "orchard"):
        said = line(TRACE, at="2026-11-26T10:00:00.130Z", message=f"by {component}", milliseconds=30.0)
        (tmp_path / f"{component}.log").write_text(f"{said}\n")
    return tmp_path


def test_they_are_read_from_the_folder_that_the_settings_name(logs):
    (one,) = traces.traces()
    assert (one.id, one.at, one.milliseconds) == (TRACE, "2026-11-26T10:00:00.100+00:00", 30.0)
    assert [at.text for at in traces.trace(TRACE).lines] == ["by orchard", "by proxy"]
    assert traces.trace(OTHER) is None


def test_the_latest_are_read_from_the_end_of_long_logs(logs):
    late = line(OTHER, at="2026-11-26T11:00:00Z", message="late")
    for component in ("proxy", "orchard"):
        with (logs / f"{component}.log").open("a") as log:
            log.write("no trace\n" * (traces._LATEST // 8) + late + "\n")
    assert [one.id for one in traces.traces()] == [OTHER]
    assert traces.trace(TRACE) is not None  # by itself it is read from further back


def test_without_logs_in_the_settings_none_are_shown_and_each_is_refused(settings):
    settings.STRANGLER = {}
    assert traces.traces() is None
    with pytest.raises(ImproperlyConfigured, match="the settings name no logs"):
        traces.trace(TRACE)


def test_a_folder_without_logs_and_a_name_that_is_no_trace_are_told(logs):
    with pytest.raises(StranglerError, match="is no trace"):
        traces.trace("checkout")
    for log in logs.glob("*.log"):
        log.unlink()
    with pytest.raises(StranglerError, match="there are no logs"):
        traces.traces()
