"""What shadows have shown, in lines for a person. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from strangler_proxy.shadowed import Sample, Shadowed


def lines(shadowed: Shadowed, service: str) -> Iterator[str]:
    """The sums, each difference with its samples and how to ask "service" (a URL) again, and what is left out."""
    yield (
        f"{shadowed.compared} requests compared, {shadowed.different} different; {shadowed.dropped} dropped, "
        f"{shadowed.too_large} too large, {shadowed.unanswered} not answered by the owner, {shadowed.unclear} writes "
        "of which nothing can be said"
    )
    for differing in shadowed.differing:
        yield str(differing)
        for sample in differing.samples:
            yield f"  {sample.owner} -> {sample.candidate}"
            if command := again(sample, service):
                yield f"    {command}"
    for noise in shadowed.noise:
        yield f"left out: {noise.path} of {noise.endpoint}: the owner differs from itself there ({noise.count} times)"


def again(sample: Sample, service: str) -> str:
    """The command by which to ask "service" the same; empty for a write, since its body is not kept."""
    method, _, path = sample.request.partition(" ")
    if method not in ("GET", "HEAD"):
        return ""
    head = "-I " if method == "HEAD" else ""
    return f"curl -s {head}{shlex.quote(service.rstrip('/') + path)}"
