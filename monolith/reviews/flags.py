"""What `REVIEWS_MOVED` and `REVIEWS_IDENTITY` are when nobody has moved the reviews."""


def never(service):
    """Its tables live here."""
    return False


def no_identity(user, audience):
    """Nobody is introduced to a service."""
