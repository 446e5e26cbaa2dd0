import threading
import time
from contextlib import nullcontext
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.gate import ReadinessGate, RehearsalGate

LATE = 0
"""Stands for an answer that does not come."""


@pytest.fixture
def service():
    """A service that answers with the statuses in a list, then 200."""
    statuses, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status = statuses.pop(0) if statuses else 200
            if status == LATE:
                time.sleep(0.8)
                return
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    gate = ReadinessGate(service="reviews", url=f"http://127.0.0.1:{server.server_port}/ready")
    yield gate, statuses, asked
    server.shutdown()
    server.server_close()


def test_a_ready_service_is_asked_once(service):
    gate, _, asked = service
    gate()
    assert asked == ["/ready"]


@pytest.mark.parametrize("status", [503, 302, 404])
def test_any_other_answer_is_one_sentence(service, status):
    gate, statuses, _ = service
    statuses.append(status)
    with pytest.raises(PlanError, match=rf'service "reviews" is not ready: .*/ready answers {status}'):
        gate()


@pytest.mark.parametrize(("late", "refused"), [(2, False), (3, True)])
def test_a_service_that_is_late_is_asked_three_times(service, late, refused):
    gate, statuses, asked = service
    statuses.extend([LATE] * late)
    late_soon = replace(gate, timeout=0.5)
    with pytest.raises(PlanError, match="does not answer") if refused else nullcontext():
        late_soon()
    assert len(asked) == 3


def test_a_service_that_is_gone_is_one_sentence():
    gate = ReadinessGate(service="reviews", url="http://127.0.0.1:1/ready")
    with pytest.raises(PlanError, match=r'service "reviews" does not answer at http://127.0.0.1:1/ready'):
        gate()


@pytest.fixture
def rehearsals(service):
    gate, statuses, _ = service
    url = gate.url.replace("/ready", "/rehearsal")
    return (
        RehearsalGate(service="reviews", url=url, monolith="postgresql://127.0.0.1/shop", capture="triggers"),
        statuses,
    )


def test_writes_are_shadowed_where_the_service_promises_to_rehearse_them(rehearsals, service):
    rehearsals[0]()
    assert service[2] == ["/rehearsal"]


def test_a_service_that_does_not_promise_it_is_refused_in_one_sentence(rehearsals):
    gate, statuses = rehearsals
    statuses += [503, 404]
    for status in (503, 404):
        with pytest.raises(
            PlanError,
            match=rf'writes are not shadowed: service "reviews" does not promise to rehearse them, .* answers {status} '
            r"\(it does not say why\); see to that, or take out shadow_writes",
        ):
            gate()
    with pytest.raises(PlanError, match='writes are not shadowed: service "reviews" does not answer at'):
        replace(gate, url="http://127.0.0.1:1/rehearsal")()


def test_a_service_that_is_late_is_asked_for_its_promise_three_times(rehearsals, service):
    gate, statuses = rehearsals
    statuses.extend([LATE] * 2)
    replace(gate, timeout=0.5)()
    assert len(service[2]) == 3


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"monolith": "mysql://127.0.0.1/shop"}, "the monolith is not on PostgreSQL, which alone tells"),
        ({"capture": "log"}, "their effects are read from the log of triggers, and CAPTURE is not"),
    ],
)
def test_where_the_monolith_cannot_tell_what_a_write_changes_no_service_is_asked(rehearsals, service, changes, why):
    with pytest.raises(PlanError, match=f"writes are not shadowed: {why}"):
        replace(rehearsals[0], **changes)()
    assert service[2] == []
