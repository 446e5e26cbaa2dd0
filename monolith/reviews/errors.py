"""Why the reviews could not do what they were asked; the same wherever they live."""


class ReviewsError(Exception):
    """Base of everything below; its text is fit for the person who asked."""


class ReviewNotFound(ReviewsError):
    """No such review or product."""


class ReviewForbidden(ReviewsError):
    """This person may not do that."""


class ReviewConflict(ReviewsError):
    """The person has reviewed the product already, or the reference is somebody else's."""


class ReviewInvalid(ReviewsError):
    """The values do not make a review."""


class ReviewsUnavailable(ReviewsError):
    """The reviews are away; trying again later is right. A write's outcome is unknown."""


class ReviewsSpared(ReviewsUnavailable):
    """They were not even asked, since too many ask already, or they failed just now; nothing was written."""


class ReviewsRefused(ReviewsUnavailable):
    """The service says that it is not the one to write to now; nothing was written."""

    def __init__(self, message, retry_after):
        super().__init__(message)
        self.retry_after = retry_after
