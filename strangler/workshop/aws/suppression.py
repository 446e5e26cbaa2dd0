"""SES v2's list of addresses that get no mails, which moto does not have."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from werkzeug.wrappers import Request, Response

from strangler.workshop.aws.replies import not_found, told


class Suppression:
    """The account's list. Addresses are compared in small letters."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}

    def addresses(self) -> set[str]:
        with self._lock:
            return set(self._known)

    def answer(self, request: Request, address: str = "") -> Response:
        """Put one on it, take it off, show it, list all. Raises KeyError, TypeError or ValueError for half of one."""
        with self._lock:
            if request.method == "PUT":
                wanted = json.loads(request.get_data())
                one = {name: wanted[name] for name in ("EmailAddress", "Reason")}
                self._known[one["EmailAddress"].lower()] = {**one, "LastUpdateTime": time.time()}
                return told({})
            if not address:
                reasons = request.args.getlist("Reason")
                found = [one for _, one in sorted(self._known.items()) if not reasons or one["Reason"] in reasons]
                return told({"SuppressedDestinationSummaries": found})
            if address.lower() not in self._known:
                return not_found(f"{address} on the suppression list")
            if request.method == "GET":
                return told({"SuppressedDestination": self._known[address.lower()]})
            del self._known[address.lower()]
            return told({})
