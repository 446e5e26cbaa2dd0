"""What `REVIEWS_MOVED` and `REVIEWS_IDENTITY` are when nobody has moved the reviews."""


def never():
    """The reviews live here."""
    return False


def no_identity(user, audience):
    """Nobody is introduced to a service."""
