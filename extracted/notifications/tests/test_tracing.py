import json
import logging

import pytest
from conftest import an_event
from notifications_service import tracing
from notifications_service.notifications import inbox, tasks


def test_a_log_line_bears_the_trace_that_it_belongs_to():
    record = logging.makeLogRecord({"msg": "hello", "facts": {"mail": 7}})
    with tracing.continued("00-a-b-01"):
        line = json.loads(tracing.JsonFormatter().format(record))
    assert (line["message"], line["mail"], line["traceparent"]) == ("hello", 7, "00-a-b-01")
    assert "traceparent" not in json.loads(tracing.JsonFormatter().format(record))


@pytest.mark.django_db(transaction=True)
def test_a_mail_is_sent_under_the_trace_of_its_event(people, monkeypatch):
    given = []
    monkeypatch.setattr(tasks.send, "delay", lambda mail, traceparent: given.append(traceparent))
    event = an_event()
    inbox.handle(json.dumps(event))
    assert given == [event["traceparent"]]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_leaves_the_mail_to_the_sweep(people, monkeypatch, caplog):
    def away(*_):
        raise ConnectionError("away")

    monkeypatch.setattr(tasks.send, "delay", away)
    inbox.handle(json.dumps(an_event()))
    assert "not enqueued, left to the sweep" in caplog.text
