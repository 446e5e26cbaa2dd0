"""What the proxy tells of its requests: spans, counters, and lines of its log."""

import json
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from strangler_proxy import telemetry
from world import MOVE, Proxy, Raw, Said, eventually, publish, table

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Receiver:
    """Takes spans, as a collector does."""

    def __init__(self):
        self.spans, self.services = [], set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                assert self.path == "/v1/traces"
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for group in ExportTraceServiceRequest.FromString(body).resource_spans:
                    receiver.services |= {one.value.string_value for one in group.resource.attributes}
                    receiver.spans += [span for scope in group.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def attributes(span):
    return {one.key: one.value.string_value or one.value.int_value or one.value.double_value for one in span.attributes}


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A proxy that sends its spans, and where it sends them."""
    receiver = Receiver()
    proxy = Proxy(state=tmp_path_factory.mktemp("traced") / "routes.json", monolith=receiver.url)
    proxy.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
    proxy.start()
    yield proxy, receiver
    proxy.stop()
    receiver.server.shutdown()
    receiver.server.server_close()


def test_a_request_is_a_span_between_its_clients_and_its_upstreams(traced, monolith, reviews):
    proxy, receiver = traced
    publish(proxy, monolith, reviews, weight=10_000)
    reviews.answer = lambda request: Said(status=503)
    monolith.answer = lambda request: Said(status=404)
    assert proxy.ask("GET", "/api/reviews/7/?secret=1", headers={"traceparent": TRACE})[0] == 404
    eventually(lambda: receiver.spans)
    span = receiver.spans.pop()
    assert receiver.services >= {"strangler-proxy"}
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == tuple(TRACE.split("-")[1:3])
    for heard in (*monolith.heard, *reviews.heard):
        assert heard.headers["traceparent"] == f"00-{span.trace_id.hex()}-{span.span_id.hex()}-01"
    assert span.name == "GET /api/reviews/"
    found = attributes(span)
    assert found.pop("strangler.held_ms") == 0
    assert found == {
        "http.request.method": "GET",
        "http.response.status_code": 404,
        "http.route": "/api/reviews/",
        "strangler.move": MOVE,
        "strangler.side": "owner",
        "strangler.version": "1.0",
        "strangler.upstream": "monolith",
        "strangler.decision": f"the candidate of {MOVE} failed",
        "strangler.retries": 1,
    }
    assert "secret" not in str(span)


def test_a_request_without_a_trace_begins_one_and_one_that_is_not_sampled_stays_so(traced, monolith, reviews):
    proxy, receiver = traced
    publish(proxy, monolith, reviews, term=2)
    receiver.spans.clear()
    assert proxy.ask("GET", "/quiet/", headers={"traceparent": TRACE[:-1] + "0"})[0] == 200
    assert monolith.heard[0].headers["traceparent"].endswith("-00")
    assert proxy.ask("GET", "/more/", headers={"traceparent": "nonsense"})[0] == 200
    eventually(lambda: receiver.spans)
    (heard,) = monolith.heard_at("/more/")
    assert [span.trace_id.hex() for span in receiver.spans] == [heard.headers["traceparent"].split("-")[1]]
    assert receiver.spans[0].parent_span_id == b""


def test_a_collector_that_is_away_keeps_no_request_waiting_and_not_the_end_either(tmp_path, monolith):
    proxy = Proxy(state=tmp_path / "routes.json", monolith=monolith.url)
    proxy.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_BSP_SCHEDULE_DELAY": "100"}
    proxy.start()
    assert [proxy.ask("GET", "/")[0] for _ in range(3)] == [200, 200, 200]
    proxy.stop()  # which waits for ten seconds


def test_nothing_of_opentelemetry_is_loaded_where_nothing_is_configured():
    code = "import sys, strangler_proxy.server; print([name for name in sys.modules if 'opentelemetry' in name])"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout == "[]\n"
    assert telemetry.tracing({}) is None
    there = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert telemetry.tracing({**there, "OTEL_SDK_DISABLED": "true"}) is None
    assert telemetry.tracing({**there, "OTEL_TRACES_EXPORTER": "none"}) is None


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_TRACES_EXPORTER", "zipkin"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]
)
def test_what_is_not_known_is_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f'{name} is "{value}"'):
        telemetry.tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", name: value})


def requests(proxy):
    """The labels of the counted requests, with their number."""
    found = Counter()
    for line in proxy.operate("GET", "/-/metrics")[1].decode().splitlines():
        if line.startswith("strangler_requests_total{"):
            labels, _, number = line.partition("{")[2].rpartition("} ")
            found[tuple(part.partition("=")[2].strip('"') for part in labels.split(","))] += float(number)
    return found


def test_requests_are_counted_by_pattern_side_and_version_and_old_versions_are_forgotten(shared, monolith, reviews):
    publish(shared, monolith, reviews, weight=10_000)
    before = requests(shared)
    for number in range(20):
        assert shared.ask("GET", f"/api/reviews/{number}/")[0] == 200
        assert shared.ask("GET", f"/other/{number}/")[0] == 200
    assert shared.ask("POST", "/api/reviews/", b"x")[0] == 200
    assert requests(shared) - before == {
        # kind, move, route, side, status, upstream, version
        ("read", MOVE, "/api/reviews/", "candidate", "2xx", "reviews", "1.0"): 20,
        ("write", MOVE, "/api/reviews/", "owner", "2xx", "monolith", "1.0"): 1,
        ("read", "", "", "", "2xx", "monolith", ""): 20,
    }
    publish(shared, monolith, reviews, term=2, owner="reviews", candidate="monolith")
    assert {labels[-1] for labels in requests(shared)} == {""}
    assert b'version="1.0"' not in shared.operate("GET", "/-/metrics")[1]
    assert shared.ask("GET", "/api/reviews/")[0] == 200
    assert ("read", MOVE, "/api/reviews/", "owner", "2xx", "reviews", "2.0") in requests(shared)


def test_the_access_log_tells_the_way_and_no_secrets(tmp_path, monolith, reviews):
    proxy = Proxy(state=tmp_path / "routes.json", monolith=monolith.url)
    log = tmp_path / "log"
    with log.open("w") as out:
        proxy.stdout = out
        proxy.start()
        offered = table(monolith, reviews, term=2, owner="reviews", candidate="monolith")
        assert proxy.operate("PUT", "/-/table", {**offered, "gateway": {"revision": 4}})[0] == 200
        secret = {"Authorization": "Bearer hidden", "Cookie": "sessionid=hidden"}
        proxy.ask("POST", "/api/reviews/?token=hidden", b"hidden", secret)
        policy = {"path": "/closed/", "authorize": {}}
        routed = json.loads(proxy.operate("GET", "/-/table")[1])
        assert proxy.operate("PUT", "/-/table", {**routed, "gateway": {"revision": 5, "policies": [policy]}})[0] == 200
        proxy.ask("GET", "/closed/", headers=secret)
        proxy.stop()
    line, refused = (json.loads(line) for line in log.read_text().splitlines() if "reviews" in line or "closed" in line)
    assert abs(datetime.fromisoformat(line["time"]).timestamp() - time.time()) < 600
    assert line["why"] == f"write to the owner of {MOVE}"
    assert (refused["status"], refused["route"], refused["upstream"], refused["why"]) == (
        403,
        "/closed/",
        "",
        "authorizing",
    )
    assert refused["gateway"] == 5
    told = ("client", "method", "path", "status", "route", "side", "version", "gateway", "key")
    assert {name: line[name] for name in told} == {
        "client": "127.0.0.1",
        "method": "POST",
        "path": "/api/reviews/",
        "status": 200,
        "route": "/api/reviews/",
        "side": "owner",
        "version": "2.0",
        "gateway": 4,
        "key": "",
    }
    assert "hidden" not in log.read_text()


def test_a_client_that_goes_away_is_noted_as_that_and_not_as_a_failure_of_its_upstream(tmp_path):
    upstream = Raw(lambda connection, body: None)
    proxy = Proxy(state=tmp_path / "routes.json", monolith=upstream.url)
    log = tmp_path / "log"
    with log.open("w") as out:
        proxy.stdout = out
        proxy.start()
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            client.sendall(b"POST /a/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 50000000\r\n\r\nsome")
            eventually(lambda: upstream.heard)
        eventually(lambda: requests(proxy))
        assert [labels[4] for labels in requests(proxy)] == ["4xx"]
        proxy.stop()
    upstream.close()
    (line,) = (json.loads(line) for line in log.read_text().splitlines() if '"/a/"' in line)
    assert line["status"] == 499
