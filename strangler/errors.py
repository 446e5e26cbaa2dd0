"""The toolkit's one base exception."""


class StranglerError(Exception):
    """Something a person can act on; its text says what, where and what to do."""
