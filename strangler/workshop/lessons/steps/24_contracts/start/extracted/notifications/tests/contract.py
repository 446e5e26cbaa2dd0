"""Whether what one side promises is at least what the other one needs."""


def missing(promise, need):
    """What a schema of an object needs that another one does not promise, in sentences."""
    return [] if promise["type"] == need["type"] else [f"{promise['type']} is promised, not {need['type']}"]
