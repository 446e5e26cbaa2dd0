"""What people are told, on the site and by mail, leaves Orchard for a service that hears of the shop by events.

It needs no other plan: none of its tables or routes is another's, so it may be applied before, after or beside 0001.
"""

from strangler import plans
from strangler.plans.operations import (
    CutForeignKey,
    MoveRoutes,
    MoveTables,
    ReplicateTable,
    RetireCode,
    RetireTables,
)

# The inbox goes with the rest: what was taken into account before the switch is known behind it. So do mails that wait.
MOVED = [
    "notifications.Notification",
    "notifications.Mail",
    "notifications.Received",
    "notifications.Preference",
    "notifications.Suppression",
]


class Plan(plans.Plan):
    service = "notifications"
    dependencies = []
    operations = [
        # Who deletes an account says so by an event, account.deleted, which the owner of the rows takes as any other.
        CutForeignKey("notifications.Notification.user", keep="user_id", migration="0003_cut_foreign_keys"),
        # No event has an address in it: whom to write to, and how to call them, the service reads here.
        ReplicateTable("accounts.User", columns=["id", "username", "email", "display_name"]),
        MoveTables(MOVED),
        # No canary and no shadows. The work comes by events, which have one consumer, the owner; of the requests, each
        # person's own and few, hardly any comes through the proxy, since Orchard's pages ask the service themselves.
        # There would be nothing to judge by, and a verdict that stays inconclusive moves nothing. No MoveTask either:
        # the monolith's periodic sender looks who owns the mails, and the service has a sender of its own.
        MoveRoutes(["/api/notifications/"], canary=[]),
        RetireTables(MOVED),
        # The models stay while the tombstones do; what must go is everything that reads or writes through them.
        RetireCode(
            [
                "monolith.notifications.local",
                "monolith.notifications.consuming",
                "monolith.notifications.feedback",
                "monolith.notifications.sending",
            ]
        ),
    ]
