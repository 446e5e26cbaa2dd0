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


def test_a_service_that_is_gone_is_one_sentence():
    gate = ReadinessGate(service="reviews", url="http://127.0.0.1:1/ready")
    with pytest.raises(PlanError, match=r'service "reviews" does not answer at http://127.0.0.1:1/ready'):
        gate()
