"""What accounts say of themselves when somebody deletes one, in whatever way Django knows of."""

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete
from django.dispatch import receiver

from monolith.outbox.services import emit


@receiver(post_delete, sender=get_user_model())
def say_that_it_is_gone(sender, instance, **kwargs):
    """In the deletion's own transaction: whoever keeps something of that person drops it."""
    emit(type="account.deleted", version=1, subject=f"user:{instance.pk}", data={"user_id": instance.pk})
