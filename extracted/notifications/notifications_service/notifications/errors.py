"""What the services refuse; the interface makes HTTP of it."""


class NotificationError(Exception):
    """Base of them all; the text is for the caller."""


class NotFound(NotificationError):
    """This person has no such notification."""


class Forbidden(NotificationError):
    """It is for somebody else to do."""
