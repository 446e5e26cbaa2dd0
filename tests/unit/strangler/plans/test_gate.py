import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from strangler.plans.errors import PlanError
from strangler.plans.gate import ReadinessGate


@pytest.fixture
def service():
    """A service that answers with the statuses in a list, then 200."""
    statuses, asked = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(statuses.pop(0) if statuses else 200)
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


def test_a_ready_service_is_asked_all_the_time(service):
    gate, _, asked = service
    gate(0.6)
    assert len(asked) == 3
    assert set(asked) == {"/ready"}


def test_it_is_asked_once_where_there_is_no_time(service):
    gate, _, asked = service
    gate(0)
    assert asked == ["/ready"]


def test_one_bad_answer_ends_the_watch(service):
    gate, statuses, asked = service
    statuses += [200, 503]
    with pytest.raises(PlanError, match=r'service "reviews" is not ready: .*/ready answers 503'):
        gate(30)
    assert len(asked) == 2


def test_a_service_that_is_gone_is_one_sentence():
    gate = ReadinessGate(service="reviews", url="http://127.0.0.1:1/ready")
    with pytest.raises(PlanError, match=r'service "reviews" does not answer at http://127.0.0.1:1/ready'):
        gate(1)
