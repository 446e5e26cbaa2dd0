from django.contrib.auth import get_user_model
from django.db import transaction

from monolith.outbox.services import emit

SHOP_USERNAME = "orchard"


@transaction.atomic
def user_register(*, username, email, password, display_name=""):
    """A new customer, who is told so by whoever takes the event."""
    user = get_user_model().objects.create_user(
        username=username, email=email, password=password, display_name=display_name
    )
    emit(type="account.registered", version=1, subject=f"user:{user.pk}", data={"user_id": user.pk})
    return user


def shop_user():
    """The staff account on whose behalf the shop's own background work is done. Nobody can log in with it."""
    user, created = get_user_model().objects.get_or_create(
        username=SHOP_USERNAME, defaults={"is_staff": True, "display_name": "Orchard"}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user
