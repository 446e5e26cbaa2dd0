"""What becomes of mails, and how SES tells of it: as its guide says of event publishing to SNS. Pure.

Mails to bounce@simulator.amazonses.com come back, and those to complaint@ are complained of, as at the real one;
"bounce+7@" is "bounce@".
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from strangler.workshop.aws.mailbox import Mail, Outcome

_SIMULATOR = "@simulator.amazonses.com"


def outcomes(recipients: Sequence[str], suppressed: Collection[str]) -> list[Outcome]:
    """In the order in which they come about. "suppressed" are addresses in small letters."""
    found = []
    for address in recipients:
        who = address.lower()
        box = who.removesuffix(_SIMULATOR).partition("+")[0] if who.endswith(_SIMULATOR) else ""
        if who in suppressed:
            found.append(Outcome(kind="Bounce", address=address, why="OnAccountSuppressionList"))
        elif box == "suppressionlist":
            found.append(Outcome(kind="Bounce", address=address, why="Suppressed"))
        elif box == "bounce":
            found.append(Outcome(kind="Bounce", address=address, why="General"))
        else:
            found.append(Outcome(kind="Delivery", address=address))
            if box == "complaint":
                found.append(Outcome(kind="Complaint", address=address))
    return found


def events(mail: Mail, configuration_set: str) -> list[dict[str, Any]]:
    """That it was sent, and each outcome, in this order."""
    about = {
        "timestamp": mail.at,
        "source": mail.sender,
        "messageId": mail.message_id,
        "destination": list(mail.recipients),
        "commonHeaders": {"from": [mail.sender], "to": list(mail.recipients), "subject": mail.subject},
        "tags": {"ses:configuration-set": [configuration_set], **{name: [value] for name, value in mail.tags.items()}},
    }
    told: list[dict[str, Any]] = [{"eventType": "Send", "mail": about, "send": {}}]
    for number, outcome in enumerate(mail.outcomes, 1):
        facts = {"timestamp": mail.at, **_facts(outcome, f"{mail.message_id}-{number}")}
        told.append({"eventType": outcome.kind, "mail": about, outcome.kind.lower(): facts})
    return told


def _facts(outcome: Outcome, feedback: str) -> dict[str, Any]:
    who = {"emailAddress": outcome.address}
    match outcome.kind:
        case "Delivery":
            return {"recipients": [outcome.address], "smtpResponse": "250 ok"}
        case "Complaint":
            return {"complainedRecipients": [who], "complaintFeedbackType": "abuse", "feedbackId": feedback}
        case _:
            refused = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
            return {
                "bounceType": "Permanent",
                "bounceSubType": outcome.why,
                "bouncedRecipients": [{**who, **refused}],
                "feedbackId": feedback,
            }
