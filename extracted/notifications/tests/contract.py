"""Whether what one side promises is at least what the other one needs."""


def missing(promise, need):
    """What a schema of an object needs that another one does not promise, in sentences."""
    found = [f'"{name}" may be missing' for name in need["required"] if name not in promise.get("required", [])]
    for name, wanted in need["properties"].items():
        kind = promise.get("properties", {}).get(name, {}).get("type")
        if kind != wanted["type"]:
            found.append(f'"{name}" is {kind}, not {wanted["type"]}')
    return found
