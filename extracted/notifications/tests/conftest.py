import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import connection
from loopback import ACCESS, Loopback
from moto.sqs.models import sqs_backends
from notifications_service.celery import app
from notifications_service.notifications import queues, ses
from notifications_service.notifications.models import Person
from rest_framework.test import APIClient

MOVE = "0002_notifications"
# Tasks are put where nobody fetches them: what they do is called by its name.
app.conf.update(broker_url="memory://", broker_transport_options={})


def pytest_collection_modifyitems(items):
    if "NOTIFICATIONS_DATABASE_URL" not in os.environ:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="NOTIFICATIONS_DATABASE_URL names no PostgreSQL"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """(the issuer's private key, the path of its public one)."""
    key = Ed25519PrivateKey.generate()
    path = tmp_path_factory.mktemp("keys") / "identity.pub.pem"
    path.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return key, path


@pytest.fixture(autouse=True)
def _as_in_tests(keys, settings):
    settings.IDENTITY_PUBLIC_KEY = str(keys[1])
    settings.MOVE = ""


@pytest.fixture
def token(keys):
    def make(pk=7, key=None, algorithm="EdDSA", **changes):
        now = int(time.time())
        claims = {"iss": "strangler", "aud": "notifications", "sub": str(pk), "name": f"person {pk}", "staff": False}
        claims |= {"via": "header", "iat": now, "exp": now + 60, **changes}
        return jwt.encode(
            {k: v for k, v in claims.items() if v is not None}, keys[0] if key is None else key, algorithm=algorithm
        )

    return make


@pytest.fixture
def caller(token):
    """A client that somebody uses: caller(7), caller(8, staff=True)."""

    def make(pk=7, **claims):
        return APIClient(headers={"Strangler-Identity": token(pk, **claims)})

    return make


@pytest.fixture
def people(db):
    Person.objects.bulk_create(
        [Person(id=n, username=f"person {n}", email=f"person{n}@example.org") for n in (7, 8, 9)]
    )


@dataclass(frozen=True, kw_only=True)
class Aws:
    """Queues of a test's own, and the SES that all share, with an empty journal."""

    loopback: Loopback
    queue: queues.Queue
    dead: queues.Queue
    feedback: queues.Queue
    sent_before: int
    sqs: object = field(repr=False)

    @property
    def journal(self):
        return self.loopback.journal[self.sent_before :]

    def publish(self, body, group="user:7"):
        body = body if isinstance(body, str) else json.dumps(body)
        order = {"MessageGroupId": group, "MessageDeduplicationId": str(uuid4())}
        self.sqs.send_message(QueueUrl=self.queue.url, MessageBody=body, **order)

    def make_visible(self):
        """As if the pauses of all messages that were handed out were over."""
        for queue in sqs_backends["123456789012"]["eu-central-1"].queues.values():
            for message in queue._messages:
                message.change_visibility(0)

    def counts(self, queue):
        """(waiting, handed out)."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)


@pytest.fixture(scope="session")
def loopback():
    made = Loopback()
    yield made
    made.close()


@pytest.fixture
def aws(loopback, monkeypatch, settings):
    for name, value in ACCESS.items():
        monkeypatch.setenv({"region_name": "AWS_DEFAULT_REGION"}.get(name, name.upper()), value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", loopback.url)
    for module in (queues, ses):
        module._client.cache_clear()
    loopback.fault, loopback.feedback = None, ""
    sqs = boto3.client("sqs")

    settings.FEEDBACK_QUEUE = sqs.create_queue(QueueName=uuid4().hex)["QueueUrl"]

    def make(**attributes):
        name = f"{uuid4().hex}.fifo"
        return sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true", **attributes})["QueueUrl"]

    settings.DEAD_QUEUE = make()
    arn = sqs.get_queue_attributes(QueueUrl=settings.DEAD_QUEUE, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    settings.QUEUE = make(RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3}))
    return Aws(
        loopback=loopback,
        queue=queues.Queue(settings.QUEUE, dead=settings.DEAD_QUEUE),
        dead=queues.Queue(settings.DEAD_QUEUE),
        feedback=queues.Queue(settings.FEEDBACK_QUEUE),
        sent_before=len(loopback.journal),
        sqs=sqs,
    )


def an_event(kind="order.placed", *, user=7, version=1, **changes):
    """An event as the shop tells it, in its envelope."""
    data = {"user_id": user, "order": "A17", "total": "12.00 €", "channel": "web"}
    envelope = {"event": str(uuid4()), "type": kind, "version": version, "at": "2026-11-26T10:00:00+00:00"}
    envelope |= {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01", "subject": f"user:{user}", "data": data}
    return {**envelope, **changes}


@pytest.fixture
def ownership(db):
    """What the toolkit tells of the move in this database: ownership(owns=True)."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA strangler")
        cursor.execute("CREATE TABLE strangler.ownership (move text PRIMARY KEY, owns boolean, term bigint)")

    def tell(*, owns):
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM strangler.ownership")
            cursor.execute("INSERT INTO strangler.ownership VALUES (%s, %s, 4)", [MOVE, owns])

    yield tell
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA strangler CASCADE")


@contextmanager
def fenced(table):
    """The table refuses its writers, as one does that another database owns."""
    with connection.cursor() as cursor:
        cursor.execute(f"""
            CREATE FUNCTION test_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION USING ERRCODE = 'SF001', MESSAGE = 'owned elsewhere',
                    DETAIL = '{{"move": "0002_notifications", "term": 7}}';
            END $$;
            CREATE TRIGGER test_fence BEFORE INSERT OR UPDATE OR DELETE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION test_refuse();
        """)
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER test_fence ON {table}; DROP FUNCTION test_refuse")
