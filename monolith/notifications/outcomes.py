"""What can come of handing over a mail, besides its being taken."""


class NotSent(Exception):
    """It was not sent, and may be handed over again later."""


class Rejected(Exception):
    """It was not sent, and will not be however often it is handed over."""


class Unknown(Exception):
    """The answer is missing: whether it was sent, only the other side knows."""
