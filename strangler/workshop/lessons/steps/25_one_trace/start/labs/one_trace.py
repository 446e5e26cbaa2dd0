"""Two people order: what proxy, Orchard, reviews service, worker and events' consumer log of it, in `.run/lab/`."""

import json
import logging
import sys
import threading
import time
from pathlib import Path
from unittest.mock import patch
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from celery import Celery
from celery.worker.request import Request
from django.conf import settings

LOGS = Path(".run/lab")
PARTS = ("proxy", "orchard", "reviews", "worker", "consumer")
PEOPLE = ("ada", "ben")
here = threading.local()


def main():
    folder = set_up()
    broker, queue = Celery("lab", broker="memory://localhost/", set_as_current=False), []
    reviews, pack = service(), task(broker)
    for person in PEOPLE:
        shop(person, reviews, pack)
        relay(queue)
    worker(broker)
    consumer(queue)
    traces = followed(folder)
    if "--json" in sys.argv:
        print(json.dumps(dict(zip(PEOPLE, traces, strict=True))))
        return
    print("Where the trace of each order left a line:")
    for person, parts in zip(PEOPLE, traces, strict=True):
        print(f"  {person}  {', '.join(parts)}")


def set_up():
    """A database in memory, and a log for each part."""
    settings.configure(
        INSTALLED_APPS=[
            *("django.contrib.contenttypes", "django.contrib.auth"),
            *(f"monolith.{app}" for app in ("accounts", "outbox", "notifications")),
        ],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        AUTH_USER_MODEL="accounts.User",
        USE_TZ=True,
        OUTBOX_TOPIC="arn:aws:sns:eu-west-1:1:orchard-events.fifo",
        NOTIFICATIONS_MOVED="monolith.reviews.flags.never",
        ALLOWED_HOSTS=["*"],
    )
    django.setup()
    from django.apps import apps
    from django.db import connection

    with connection.schema_editor() as editor:
        for model in apps.get_models():
            editor.create_model(model)
    folder = LOGS.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    log_apart(folder)
    return folder


def log_apart(folder):
    """Each part with its own formatter into its own file, as if it were a process of its own."""
    sys.path.append("extracted/reviews")
    from reviews_service.tracing import JsonFormatter as ServiceFormatter

    from monolith.logs import JsonFormatter

    formatters = dict.fromkeys(PARTS, JsonFormatter()) | {"reviews": ServiceFormatter()}
    files = {part: (folder / f"{part}.log").open("w", encoding="utf-8") for part in PARTS}

    class Apart(logging.Handler):
        def emit(self, record):
            part = getattr(here, "part", None)
            if part:
                print(formatters[part].format(record), file=files[part], flush=True)

    logging.basicConfig(handlers=[Apart()], level=logging.INFO, force=True)
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def service():
    """The reviews, with the service's own middleware, at a port; its address."""
    from django.core.handlers.wsgi import WSGIRequest
    from django.http import JsonResponse
    from reviews_service.tracing import TraceMiddleware

    answer = TraceMiddleware(lambda request: JsonResponse({"count": 0, "next": None, "results": []}))

    def application(environ, start_response):
        here.part = "reviews"
        response = answer(WSGIRequest(environ))
        start_response("200 OK", [(name, value) for name, value in response.items()])
        return [response.content]

    class Quiet(WSGIRequestHandler):
        def log_message(self, template, *values):
            pass

    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def task(broker):
    """What Orchard has its worker do."""
    from monolith.tasks import RetryingTask

    @broker.task(name="lab.pack", base=RetryingTask, shared=False)
    def pack(customer):
        logging.getLogger("lab").info("packed", extra={"customer": customer})

    return pack


def shop(person, reviews, pack):
    """One order, from the proxy on."""
    from django.http import HttpResponse
    from django.test import RequestFactory
    from strangler_proxy.forwarding import forwarded
    from strangler_proxy.trust import Way

    from monolith import tracing
    from monolith.accounts.models import User
    from monolith.outbox.services import emit
    from monolith.reviews.remote import RemoteReviews

    arrived = time.perf_counter()

    def answered(message, began):
        milliseconds = round((time.perf_counter() - began) * 1000, 1)
        said = {"method": "POST", "path": "/checkout/", "status": 302, "milliseconds": milliseconds}
        logging.getLogger("access").info(message, extra=said)

    def order(request):
        began = time.perf_counter()
        user = User.objects.create(username=person, email=f"{person}@orchard.example")
        RemoteReviews(reviews).page(author=user.pk)
        data = {"user_id": user.pk, "order": "0B7E5A34", "total": "€ 37.50"}
        emit(type="order.placed", version=1, subject=f"user:{user.pk}", data=data)
        pack.delay(person)
        answered("request", began)
        return HttpResponse(status=302)

    way = Way(addresses=("127.0.0.1",), scheme="http", believed=False)
    trace = dict(forwarded(((b"Host", b"orchard.example"),), way))[b"traceparent"].decode()
    here.part = "orchard"
    time.sleep(0.005)  # the way to Orchard
    tracing.middleware(order)(RequestFactory().post("/checkout/", headers={"traceparent": trace}))
    here.part = "proxy"
    with tracing.continuing(trace):
        answered(f"{person}'s", arrived)


def relay(queue):
    """What `relay_events` does, a process of its own."""
    from monolith.outbox.relay import relay_all

    here.part = None

    def publish(envelopes):
        queue.extend(json.loads(json.dumps(envelopes)))
        return [told["event"] for told in envelopes]

    relay_all(publish)


def worker(broker):
    """What Orchard's Celery worker does with what waits."""
    here.part = "worker"
    with broker.connection_for_read() as connection, connection.SimpleQueue("celery") as queue:
        while queue.qsize():
            message = queue.get(timeout=1)
            message.ack()
            with patch("celery.app.trace.logger"):
                Request(message, app=broker).execute()


def consumer(queue):
    """What the consumer of events does with them."""
    from monolith.notifications.consuming import consume

    here.part = "consumer"
    for told in queue:
        consume(told)


def followed(folder):
    """The parts in which each order left its trace."""
    from strangler.tracing.logs import lines_of

    lines = lines_of(folder)
    traces = [line.trace for line in lines if line.component == "proxy"]
    return [sorted({line.component for line in lines if line.trace == trace}, key=PARTS.index) for trace in traces]


if __name__ == "__main__":
    main()
