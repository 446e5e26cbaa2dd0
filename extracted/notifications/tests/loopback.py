"""An AWS outside of whoever is killed: SQS by moto, and a SES that keeps a journal of what it has sent."""

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import boto3
from botocore import xform_name
from botocore.exceptions import ClientError
from moto import mock_aws

ACCESS = {"aws_access_key_id": "loopback", "aws_secret_access_key": "loopback", "region_name": "eu-central-1"}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A mail that SES has sent."""

    message_id: str
    recipient: str
    subject: str
    body: str
    tags: dict

    def event(self, kind="Send", **more):
        """What SES tells of it, as AWS documents it."""
        about = {
            "timestamp": "2026-11-26T10:00:00.000Z",
            "messageId": self.message_id,
            "destination": [self.recipient],
            "tags": {name: [value] for name, value in self.tags.items()},
        }
        return json.dumps({"eventType": kind, "mail": about, kind.lower(): more})


class Loopback:
    """`fault` is what happens to calls of SES: (status, code) is answered, or "lost": it is sent without an answer."""

    def __init__(self):
        self.journal = []
        self.fault = None
        self.feedback = ""  # the queue that is told of what was sent
        self._closed = False
        self._turn = threading.Lock()  # moto loses messages where two calls meet
        self._mock = mock_aws()
        self._mock.start()
        self._sqs = boto3.client("sqs", endpoint_url="https://sqs.eu-central-1.amazonaws.com", **ACCESS)
        handler = type("Handler", (_Handler,), {"aws": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._closed = True
        self._server.shutdown()
        self._server.server_close()  # once whoever still waits at a queue has been answered
        self._mock.stop()

    def sqs(self, operation, wanted):
        """What moto says. A queue is waited on with the turn given to others."""
        until = time.monotonic() + wanted.pop("WaitTimeSeconds", 0)
        while True:
            with self._turn:
                answer = getattr(self._sqs, xform_name(operation))(**wanted)
            waits = operation == "ReceiveMessage" and not answer.get("Messages") and not self._closed
            if not waits or time.monotonic() > until:
                return answer
            time.sleep(0.05)

    def ses(self, wanted):
        text = wanted["Content"]["Simple"]
        sent = Sent(
            message_id=uuid4().hex,
            recipient=wanted["Destination"]["ToAddresses"][0],
            subject=text["Subject"]["Data"],
            body=text["Body"]["Text"]["Data"],
            tags={tag["Name"]: tag["Value"] for tag in wanted["EmailTags"]},
        )
        self.journal.append(sent)
        if self.feedback:
            self.sqs("SendMessage", {"QueueUrl": self.feedback, "MessageBody": sent.event()})
        return {"MessageId": sent.message_id}


class _Handler(BaseHTTPRequestHandler):
    aws: Loopback

    def do_POST(self):
        wanted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/v2/email/outbound-emails":
            self._ses(wanted)
            return
        try:
            answer = self.aws.sqs(self.headers["X-Amz-Target"].partition(".")[2], wanted)
        except ClientError as error:
            self._tell(400, {"__type": error.response["Error"]["Code"], "message": str(error)})
            return
        answer.pop("ResponseMetadata")
        self._tell(200, answer)

    def _ses(self, wanted):
        fault = self.aws.fault
        if isinstance(fault, tuple):
            self._tell(fault[0], {"message": "told to fail"}, {"x-amzn-ErrorType": fault[1]})
            return
        answer = self.aws.ses(wanted)
        if fault != "lost":
            self._tell(200, answer)

    def _tell(self, status, answer, headers=()):
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {**dict(headers), "Content-Type": "application/json", "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
