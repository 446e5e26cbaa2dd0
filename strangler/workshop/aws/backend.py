"""moto's server, one call at a time."""

from __future__ import annotations

import io
import json
import select
import socket
import threading
import time

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns.models import Topic, sns_backends
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

_LONGEST_WAIT = 20.0
_LOOK_AGAIN = 0.5


class Backend:
    """moto without its races: it loses a message that is sent while another one is deleted, and gives one to two.

    So calls take turns, and whoever waits for a message lets the others pass meanwhile.
    """

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._turn = threading.Condition()

    def answer(self, request: Request) -> Response:
        """What moto says to a request. A queue is waited on for as long as the request says (0: not), 20 s at most."""
        if request.headers.get("X-Amz-Target", "").endswith(".ReceiveMessage"):
            return self._received(request)
        with self._turn:
            answer = self._ask(request, request.get_data())
            self._turn.notify_all()
        return answer

    def has(self, path: str, asked: Request) -> bool:
        """Whether there is something at a path, in the region of whoever asked."""
        headers = [("Authorization", asked.headers.get("Authorization", ""))]
        with self._turn:
            environ = EnvironBuilder(path=path, headers=headers).get_environ()
            return Response.from_app(self._moto, environ, buffered=True).status_code == 200

    def topic(self, arn: str) -> Topic | None:
        """Raises ValueError or KeyError for what is no ARN."""
        _, _, _, region, account, _ = arn.split(":")
        return sns_backends[account][region].topics.get(arn)

    def publish(self, arn: str, message: str) -> None:
        """To a topic; to nobody where it is gone."""
        with self._turn:
            if topic := self.topic(arn):
                topic.publish(message)
                self._turn.notify_all()

    def _received(self, request: Request) -> Response:
        wanted = json.loads(request.get_data())
        until = time.monotonic() + min(float(wanted.get("WaitTimeSeconds", 0)), _LONGEST_WAIT)
        content = json.dumps({**wanted, "WaitTimeSeconds": 0}).encode()
        with self._turn:
            while True:
                # Whoever has gone must not take a message along: nobody else would get it until its time is over.
                if _gone(request):
                    return Response(status=499)
                answer = self._ask(request, content)
                left = until - time.monotonic()
                if left <= 0 or answer.status_code != 200 or json.loads(answer.get_data()).get("Messages"):
                    return answer
                # Time alone makes messages visible too.
                self._turn.wait(min(left, _LOOK_AGAIN))

    def _ask(self, request: Request, content: bytes) -> Response:
        environ = {**request.environ, "wsgi.input": io.BytesIO(content), "CONTENT_LENGTH": str(len(content))}
        return Response.from_app(self._moto, environ, buffered=True)


def _gone(request: Request) -> bool:
    """Whether the client has closed its connection."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
