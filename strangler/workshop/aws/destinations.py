"""SES v2's event destinations, which moto does not have: whom a configuration set tells of its mails."""

from __future__ import annotations

import json
import threading
from typing import Any

from werkzeug.wrappers import Request, Response

from strangler.workshop.aws.backend import Backend
from strangler.workshop.aws.replies import bad_request, not_found, refusal, told


class Destinations:
    """By configuration set and name. Only SNS topics are told."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, dict[str, Any]]] = {}

    def answer(self, request: Request, set_name: str, name: str | None = None) -> Response:
        """Make or change one, take it away, list them. Raises KeyError, TypeError or ValueError for half of one."""
        if not self._backend.has(f"/v2/email/configuration-sets/{set_name}", request):
            return not_found(f'configuration set "{set_name}"')
        with self._lock:
            known = self._known.setdefault(set_name, {})
            if request.method == "POST":
                return self._make(known, json.loads(request.get_data()))
            if name is None:
                return told({"EventDestinations": [{"Name": name, **one} for name, one in sorted(known.items())]})
            if name not in known:
                return not_found(f'event destination "{name}"')
            if request.method == "PUT":
                return self._keep(known, name, json.loads(request.get_data()))
            del known[name]
            return told({})

    def topics(self, set_name: str, kind: str) -> list[str]:
        """The ARNs of those that want to know of such an event, "Send" say."""
        with self._lock:
            return [
                one["SnsDestination"]["TopicArn"]
                for one in self._known.get(set_name, {}).values()
                if one.get("Enabled") and kind.upper() in one["MatchingEventTypes"]
            ]

    def _make(self, known: dict[str, dict[str, Any]], wanted: dict[str, Any]) -> Response:
        name = wanted["EventDestinationName"]
        if name in known:
            return refusal(400, "AlreadyExistsException", f'event destination "{name}" exists')
        return self._keep(known, name, wanted)

    def _keep(self, known: dict[str, dict[str, Any]], name: str, wanted: dict[str, Any]) -> Response:
        one = dict(wanted["EventDestination"])
        if "SnsDestination" not in one or not self._backend.topic(one["SnsDestination"]["TopicArn"]):
            return bad_request(f'event destination "{name}" needs an SnsDestination with a topic that exists')
        known[name] = {"MatchingEventTypes": [], **one}
        return told({})
