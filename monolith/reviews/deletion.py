"""What happens to reviews and votes when their product or person is deleted."""

from django.db import models

from monolith.reviews.placement import reviews_moved


def cascade_while_local(collector, field, sub_objs, using):
    """`on_delete`: cascade while the reviews live here, else leave the rows to their owner.

    It only decides and has no effect of its own, because the admin collects what a deletion would take
    merely to show it. The owner is told after the deletion, by `signals.remember_to_forget`.
    """
    if not reviews_moved():
        models.CASCADE(collector, field, sub_objs, using)


# The collector then does not look for rows itself, which may be in a table that is no longer here.
cascade_while_local.lazy_sub_objs = True
