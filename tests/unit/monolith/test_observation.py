"""What Orchard writes down about its own requests: events, metrics, logs."""

import json
import logging

from monolith import tracing
from monolith.events.models import Event
from monolith.logs import JsonFormatter
from monolith.monitoring.models import RouteMinute
from monolith.monitoring.recorder import Recorder


def test_page_that_succeeded_is_an_event_and_a_failed_one_is_not(as_user, ada, product):
    client = as_user(ada)
    client.get(f"/products/{product.slug}/?from=mail")
    client.get("/no/such/page")
    event = Event.objects.get()
    assert (event.kind, event.path, event.user_id) == ("view", f"/products/{product.slug}/", ada.pk)
    assert event.details["query"] == {"from": "mail"}


def test_metrics_of_a_route_are_summed_over_processes(db):
    for _ in range(2):
        process = Recorder()
        process.add("products/", 10.0, failed=False)
        process.add("products/", 30.0, failed=True)
        process.flush()
    row = RouteMinute.objects.get()
    assert (row.requests, row.errors, row.milliseconds, row.slowest) == (4, 2, 80.0, 30.0)


def test_log_line_is_one_json_object_with_the_trace():
    lines = []

    def respond(request):
        record = logging.makeLogRecord({"msg": "hello\nworld", "name": "shop", "levelname": "INFO", "status": 200})
        lines.append(JsonFormatter().format(record))

    class Request:
        headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}

    tracing.middleware(respond)(Request())
    assert "\n" not in lines[0]
    line = json.loads(lines[0])
    assert (line["message"], line["level"], line["status"]) == ("hello\nworld", "info", 200)
    assert line["traceparent"].startswith("00-0af7651916cd43dd8448eb211c80319c-")
    assert line["traceparent"] != Request.headers["traceparent"]
    assert tracing.current() == ""
