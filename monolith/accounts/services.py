from django.contrib.auth import get_user_model

from monolith.notifications.services import notify

SHOP_USERNAME = "orchard"


def user_register(*, username, email, password, display_name=""):
    """A new customer, who gets a welcome mail before the page answers."""
    user = get_user_model().objects.create_user(
        username=username, email=email, password=password, display_name=display_name
    )
    notify(user=user, subject="Welcome to Orchard", body=f"Good to have you, {user.public_name}.", urgent=True)
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
