"""SES v2's SendEmail: moto judges and names the mail, the mailbox keeps it, topics are told what became of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from werkzeug.wrappers import Request, Response

from strangler.workshop.aws.backend import Backend
from strangler.workshop.aws.destinations import Destinations
from strangler.workshop.aws.events import events, outcomes
from strangler.workshop.aws.mailbox import Mail, Mailbox
from strangler.workshop.aws.replies import bad_request, not_found
from strangler.workshop.aws.suppression import Suppression

_TAG = re.compile(r"[A-Za-z0-9_.@-]{1,256}")


class Sending:
    """Takes mails."""

    def __init__(
        self, backend: Backend, mailbox: Mailbox, destinations: Destinations, suppression: Suppression
    ) -> None:
        self._backend = backend
        self._mailbox = mailbox
        self._destinations = destinations
        self._suppression = suppression

    def answer(self, request: Request) -> Response:
        """Send one. Raises KeyError, TypeError or ValueError where it is not understood; then nothing is sent."""
        wanted = json.loads(request.get_data())
        mail = _read(wanted)
        set_name = wanted.get("ConfigurationSetName", "")
        if set_name and not self._backend.has(f"/v2/email/configuration-sets/{set_name}", request):
            return not_found(f'configuration set "{set_name}"')
        for word in (*mail.tags, *mail.tags.values()):
            if not _TAG.fullmatch(word):
                return bad_request(f'"{word}" is no tag: letters of ASCII, digits, "_", "-", "." and "@" are')
        answer = self._backend.answer(request)
        if answer.status_code == 200:
            self._sent(mail, json.loads(answer.get_data())["MessageId"], set_name)
        return answer

    def _sent(self, mail: Mail, message_id: str, set_name: str) -> None:
        became = outcomes(mail.recipients, self._suppression.addresses())
        taken = self._mailbox.take(mail, message_id, became)
        for event in events(taken, set_name):
            for topic in self._destinations.topics(set_name, event["eventType"]):
                self._backend.publish(topic, json.dumps(event))


def _read(wanted: Mapping[str, Any]) -> Mail:
    if "Simple" not in wanted["Content"]:
        raise ValueError("a mail's Content is Simple here")
    content = wanted["Content"]["Simple"]
    body = content["Body"]
    return Mail(
        sender=wanted["FromEmailAddress"],
        recipients=[one for kind in ("To", "Cc", "Bcc") for one in wanted["Destination"].get(f"{kind}Addresses", [])],
        subject=content["Subject"]["Data"],
        text=body.get("Text", {}).get("Data", ""),
        html=body.get("Html", {}).get("Data", ""),
        tags={tag["Name"]: tag["Value"] for tag in wanted.get("EmailTags", [])},
    )
