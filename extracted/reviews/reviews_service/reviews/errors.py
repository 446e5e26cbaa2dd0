"""What the services refuse; the interface makes HTTP of it."""


class ReviewError(Exception):
    """Base of them all; the text is for the caller."""


class NotFound(ReviewError):
    """There is no such review, or product."""


class Forbidden(ReviewError):
    """It is somebody else's."""


class Conflict(ReviewError):
    """Something is there already."""
