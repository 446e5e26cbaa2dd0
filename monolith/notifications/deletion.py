"""What happens to a person's notifications when the person is deleted."""

from django.db import models

from monolith.notifications.placement import notifications_moved


def cascade_while_local(collector, field, sub_objs, using):
    """`on_delete`: cascade while the notifications live here, else leave the rows to their owner."""
    if not notifications_moved():
        models.CASCADE(collector, field, sub_objs, using)


# The collector then does not look for rows itself, which may be in a table that is no longer here.
cascade_while_local.lazy_sub_objs = True
