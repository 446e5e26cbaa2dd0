"""What stands before moto: the mailbox, how calls go wrong, and the parts of SES v2 that moto does not have."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.wrappers import Request, Response

from strangler.workshop.aws.backend import Backend
from strangler.workshop.aws.behaviour import Behaviour
from strangler.workshop.aws.destinations import Destinations
from strangler.workshop.aws.mailbox import Mail, Mailbox
from strangler.workshop.aws.pages import list_page, mail_page
from strangler.workshop.aws.replies import bad_request, told
from strangler.workshop.aws.sending import Sending
from strangler.workshop.aws.suppression import Suppression

_SIGNED_FOR = re.compile(r"Credential=[^/]+/[^/]+/[^/]+/([^/]+)/aws4_request")
_SETS = "/v2/email/configuration-sets/<set_name>/event-destinations"
_SUPPRESSED = "/v2/email/suppression/addresses"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A page loads nothing and runs nothing, whatever stands in a mail."""


class Front:
    """A WSGI application before moto's."""

    def __init__(self, backend: Backend) -> None:
        self.ready = False
        """Said by /health."""
        self._backend = backend
        self._mailbox = Mailbox()
        self._behaviour = Behaviour()
        destinations, suppression = Destinations(backend), Suppression()
        sending = Sending(backend, self._mailbox, destinations, suppression)
        self._own = _routes(
            ("GET", "/health", self._health),
            ("GET", "/mailbox/", self._list),
            ("GET", "/mailbox.json", self._values),
            ("GET", "/mailbox/<int:number>/", self._one),
            ("GET", "/mailbox/<int:number>.json", self._one_value),
            ("PUT", "/behaviour", self._behave),
        )
        self._of_aws = _routes(
            ("GET POST", _SETS, destinations.answer),
            ("PUT DELETE", f"{_SETS}/<name>", destinations.answer),
            ("GET PUT", _SUPPRESSED, suppression.answer),
            ("GET DELETE", f"{_SUPPRESSED}/<address>", suppression.answer),
            ("POST", "/v2/email/outbound-emails", sending.answer),
        )

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        return self._answer(request)(environ, start_response)

    def _answer(self, request: Request) -> Response:
        # Read in any case: what is left of a body would be taken for the connection's next request.
        request.get_data()
        try:
            return _answered(self._own, request) or self._aws(request)
        except HTTPException as error:
            return Response(error.get_body(), status=error.code, mimetype="text/html")
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return bad_request(f"not understood: {error!r}")

    def _aws(self, request: Request) -> Response:
        signed = _SIGNED_FOR.search(request.headers.get("Authorization", ""))
        fault = self._behaviour.meet(signed[1] if signed else "")
        if fault.status:
            # Without a body: the services differ in how they write one, and clients do without.
            return Response(status=fault.status)
        answer = _answered(self._of_aws, request) or self._backend.answer(request)
        if fault.lost:
            request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer

    def _health(self, request: Request) -> Response:
        return told({"status": "ok"}) if self.ready else Response(status=503)

    def _list(self, request: Request) -> Response:
        return _page(list_page(self._mailbox.mails()))

    def _one(self, request: Request, number: int) -> Response:
        return _page(mail_page(self._mail(number)))

    def _values(self, request: Request) -> Response:
        return told([asdict(mail) for mail in self._mailbox.mails()])

    def _one_value(self, request: Request, number: int) -> Response:
        return told(asdict(self._mail(number)))

    def _mail(self, number: int) -> Mail:
        mail = self._mailbox.mail(number)
        if mail is None:
            raise NotFound(f"There is no mail {number}.")
        return mail

    def _behave(self, request: Request) -> Response:
        self._behaviour.behave(json.loads(request.get_data()))
        return told({})


_Handler = Callable[..., Response]


def _routes(*known: tuple[str, str, _Handler]) -> Map:
    return Map([Rule(path, endpoint=handler, methods=methods.split()) for methods, path, handler in known])


def _answered(routes: Map, request: Request) -> Response | None:
    """None for what is not among the routes."""
    try:
        handler, arguments = routes.bind_to_environ(request.environ).match()
    except RequestRedirect as elsewhere:
        return Response(status=elsewhere.code, headers={"Location": elsewhere.new_url})
    except HTTPException:
        return None
    answer: Response = handler(request, **arguments)
    return answer


def _page(text: str) -> Response:
    answer = Response(text, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _POLICY
    return answer
