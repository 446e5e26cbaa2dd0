"""What follows a change of reviews, products and people, inside the same transaction or after its commit."""

from django.contrib.auth import get_user_model
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from monolith.catalog.models import Product
from monolith.catalog.services import product_rating_update
from monolith.reviews.models import Forgetting, Review
from monolith.reviews.selectors import rating_of
from monolith.reviews.tasks import forget, moderate_review
from monolith.tasks import enqueue_on_commit


@receiver([post_save, post_delete], sender=Review)
def update_product_rating(sender, instance, **kwargs):
    rating = rating_of(instance.product_id)
    product_rating_update(product_id=rating.product, average=rating.average, count=rating.count)


@receiver(post_save, sender=Review)
def ask_for_moderation(sender, instance, update_fields, **kwargs):
    if update_fields is None or "status" not in update_fields:
        enqueue_on_commit(moderate_review, instance.pk)


@receiver(post_delete, sender=Product)
@receiver(post_delete, sender=get_user_model())
def remember_to_forget(sender, instance, **kwargs):
    """Leave a note in the same transaction: whoever owns the reviews by then must drop what is left.

    Also written while the reviews are local, where the cascade has done it already: they may be on their
    way out between the cascade's decision and the commit, and forgetting nothing is harmless.
    """
    kind = Forgetting.Kind.PRODUCT if sender is Product else Forgetting.Kind.AUTHOR
    note, _ = Forgetting.objects.get_or_create(kind=kind, key=instance.pk)
    enqueue_on_commit(forget, note.pk)
