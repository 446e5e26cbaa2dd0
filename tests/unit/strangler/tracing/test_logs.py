"""One trace over all components, from logs as they are written."""

import json

import pytest

from strangler.cli import main
from strangler.tracing.logs import lines_of, traces_of

TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c"


def line(trace, **told):
    return json.dumps({**told, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"})


@pytest.fixture
def logs(tmp_path):
    """What proxy, monolith, service and worker wrote, each in its way, of two requests."""
    told = {
        "proxy": [
            "Listening on 127.0.0.1:8000",
            line(TRACE, time="2026-11-26T10:00:00.130+00:00", method="POST", path="/checkout/", status=302, ms=130.0),
            line(OTHER, time="2026-11-26T10:00:05.000+00:00", method="GET", path="/", status=200, ms=4.0),
        ],
        "orchard": [
            line(
                TRACE, at="2026-11-26T11:00:00.120+01:00", level="info", message="request", method="POST",
                path="/checkout/", status=302, milliseconds=110.0,
            ),
            '{"at": "2026-11-26T10:00:00.000+00:00", "traceparent": "half a li',
        ],
        "worker": [line(TRACE, at="2026-11-26T10:00:01.500Z", level="warning", message="task", task="reviews.look")],
        "broker": ["nothing of ours"],
    }  # fmt: skip
    for name, written in told.items():
        (tmp_path / f"{name}.log").write_text("\n".join([*written, ""]))
    return str(tmp_path)


def test_a_trace_is_shown_from_its_beginning_through_all_components(logs, capsys):
    for named in (TRACE, f"00-{TRACE}-aaaaaaaaaaaaaaaa-01"):
        assert main(["follow", logs, named]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "10:00:00.000     130.0 ms  proxy          POST /checkout/ 302",
            "10:00:00.010     110.0 ms  orchard        request POST /checkout/ 302",
            "10:00:01.500               worker         WARNING task reviews.look",
        ]


def test_what_is_said_within_the_first_millisecond_stands_behind_what_it_is_part_of(tmp_path, capsys):
    said = line(TRACE, at="2026-11-26T10:00:00.100Z", message="packed")  # at 100.9 ms
    done = line(TRACE, at="2026-11-26T10:00:00.101Z", message="task done", milliseconds=0.5)  # at 101.1 ms
    (tmp_path / "worker.log").write_text(f"{said}\n{done}\n")
    assert main(["follow", str(tmp_path), TRACE]) == 0
    assert [one.split()[-1] for one in capsys.readouterr().out.splitlines()] == ["done", "packed"]


def test_without_a_trace_the_latest_are_listed_with_where_they_came_to(logs, capsys):
    assert main(["follow", logs]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{TRACE}  10:00:00  POST /checkout/ 302  (proxy, orchard, worker)",
        f"{OTHER}  10:00:04  GET / 200  (proxy)",
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("0" * 32, "no component has logged anything"),
        ("checkout", '"checkout" is no trace; give its 32 hexadecimal digits'),
    ],
)
def test_a_trace_that_is_not_there_or_none_is_told(logs, named, said, capsys):
    assert main(["follow", logs, named]) == 1
    assert said in capsys.readouterr().err


def test_a_log_that_cannot_be_read_is_told(tmp_path, capsys):
    (tmp_path / "orchard.log").mkdir()
    assert main(["follow", str(tmp_path)]) == 1
    assert f'the log "{tmp_path}/orchard.log" cannot be read (Is a directory)' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "failed"),
    [({"status": 503}, True), ({"level": "ERROR"}, True), ({"status": 404, "level": "WARNING"}, False), ({}, False)],
)
def test_what_tells_of_a_mistake_makes_its_trace_a_failed_one(tmp_path, told, failed):
    (tmp_path / "orchard.log").write_text(line(TRACE, at="2026-11-26T10:00:00Z", **told) + "\n")
    (trace,) = traces_of(lines_of(tmp_path))
    assert trace.failed is failed


def test_what_one_component_answers_another_is_no_failure_of_the_request(tmp_path):
    for component, at, status, took in (("proxy", "01", 201, 1000.0), ("reviews", "00.5", 503, 10.0)):
        told = line(TRACE, at=f"2026-11-26T10:00:{at}Z", status=status, milliseconds=took)
        (tmp_path / f"{component}.log").write_text(f"{told}\n")
    (trace,) = traces_of(lines_of(tmp_path))
    assert [(one.component, one.failed) for one in trace.lines] == [("proxy", False), ("reviews", True)]
    assert not trace.failed


def test_a_folder_without_logs_is_told(tmp_path, capsys):
    assert main(["follow", str(tmp_path)]) == 1
    assert "there are no logs" in capsys.readouterr().err
