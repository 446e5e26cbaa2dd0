"""The notifications in a service of their own, over HTTP (docs/contracts.md, "Notifications API")."""

import random
import time
from datetime import datetime

import httpx

from monolith import tracing
from monolith.guard import Guard, Limits, Spared
from monolith.notifications.errors import (
    NotificationForbidden,
    NotificationNotFound,
    NotificationsRefused,
    NotificationsSpared,
    NotificationsUnavailable,
)
from monolith.notifications.placement import identity_token
from monolith.notifications.values import NotificationCard

AUDIENCE = "notifications"
ATTEMPTS = 3
TIMEOUT = httpx.Timeout(2.0, connect=0.5)
LIMITS = Limits(most=4, wait=0.5, failures=5, pause=1.0)
_PAUSE = 0.05


class RemoteNotifications:
    """Whatever is asked may be asked again, writes too, so all of it is tried a few times."""

    def __init__(self, url, timeout=TIMEOUT, limits=LIMITS):
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=False)
        self._guard = Guard(limits, failure=NotificationsUnavailable)

    def unread(self, *, user):
        answer = self._asked("GET", "/api/notifications/", user, params={"unread": "true"})
        return tuple(_card(one) for one in answer["results"])

    def mark_read(self, *, user, notification):
        self._asked("POST", f"/api/notifications/{notification}/read/", user)

    def mail_wanted(self, *, user):
        return self._asked("GET", "/api/notifications/preferences/", user)["mail"]

    def want_mail(self, *, user, mail):
        self._asked("PUT", "/api/notifications/preferences/", user, json={"mail": mail})

    def _asked(self, method, path, user, **request):
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._send(method, path, user, **request)
            except (NotificationsRefused, NotificationsSpared):
                raise
            except NotificationsUnavailable:
                if attempt == ATTEMPTS:
                    raise
                # Jittered, so that many pages do not knock again in step.
                time.sleep(_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311
        raise AssertionError("unreachable")

    def _send(self, method, path, user, **request):
        token = identity_token(user, AUDIENCE)
        headers = {"Strangler-Identity": token} if token else {}
        if tracing.current():
            headers["traceparent"] = tracing.current()
        try:
            response = self._guard(lambda: self._answer(method, path, headers=headers, **request))
        except Spared as error:
            raise NotificationsSpared(f"The notifications are not asked now: {error}.") from error
        _raise_for(response)
        return response.json() if response.content else None

    def _answer(self, method, path, **request):
        """Whatever the service says, unless it fails at that."""
        try:
            response = self._client.request(method, path, **request)
        except httpx.TransportError as error:
            raise NotificationsUnavailable(f"The notifications do not answer ({type(error).__name__}).") from error
        if response.status_code >= 500 and not _is_refusal(response):
            raise NotificationsUnavailable(f"The notifications answer with an error ({response.status_code}).")
        return response


def _is_refusal(response):
    return response.status_code == 503 and "Retry-After" in response.headers


def _raise_for(response):
    if _is_refusal(response):
        raise NotificationsRefused("The notifications are changing places.", _seconds(response.headers["Retry-After"]))
    match response.status_code:
        case status if status < 400:
            return
        case 401 | 403:
            raise NotificationForbidden("The notifications do not know you.")
        case 404:
            raise NotificationNotFound("You have no such notification.")
        case status:
            raise NotificationsUnavailable(f"The notifications answer with an error ({status}).")


def _seconds(retry_after):
    return float(retry_after) if retry_after.isdigit() else 1.0


def _card(told):
    return NotificationCard(
        id=told["id"],
        subject=told["subject"],
        body=told["body"],
        read=told["read"],
        created_at=datetime.fromisoformat(told["created_at"]),
    )
