"""Why the notifications could not do what they were asked; the same wherever they live."""


class NotificationsError(Exception):
    """Base of everything below; its text is fit for the person who asked."""


class NotificationNotFound(NotificationsError):
    """This person has no such notification."""


class NotificationForbidden(NotificationsError):
    """This person may not do that."""


class NotificationsUnavailable(NotificationsError):
    """The notifications are away; trying again later is right."""


class NotificationsSpared(NotificationsUnavailable):
    """They were not even asked, since too many ask already, or they failed just now; nothing was written."""


class NotificationsRefused(NotificationsUnavailable):
    """The service says that it is not the one to write to now; nothing was written."""

    def __init__(self, message, retry_after):
        super().__init__(message)
        self.retry_after = retry_after


class NotHere(NotificationsError):
    """The notifications live elsewhere: an event, or what became of a mail, is for somebody else to take."""
