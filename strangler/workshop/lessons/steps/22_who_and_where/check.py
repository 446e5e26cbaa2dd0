"""Lab 22: does Orchard find its reviews wherever they are, and does the service believe only who can be believed?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from strangler.workshop.lessons.bench import Bench
from strangler.workshop.lessons.finding import Finding
from strangler.workshop.lessons.probing import experiment

_PROGRAM = Path(__file__).parent / "start" / "labs" / "who_and_where.py"
_GATEWAY, _SETTINGS = "monolith/reviews/gateway.py", "monolith/settings.py"
_IDENTITY = "extracted/reviews/reviews_service/identity.py"
_HERE, _THERE = "its own database", "the service"
_WHERE = {
    "before they move": (_HERE, f"{_GATEWAY}: reviews()"),
    "behind the move, Orchard still running": (_THERE, f"{_GATEWAY}: who remembers what? REVIEWS_URL in {_SETTINGS}"),
    "after the way back": (_HERE, f"{_GATEWAY}: a move is reversible, while Orchard runs"),
    "for a vote, when they move meanwhile": (
        _THERE,
        f'{_GATEWAY}: "MovingReviews" follows a refusal, which has written nothing',
    ),
}
_BELIEVED = {
    "Ada's own": "the key that settings.IDENTITY_PUBLIC_KEY names, and the algorithm of docs/contracts.md: identity",
    "Ada's browser, by a form of ours": '"_enforce_csrf": a form of ours has the token',
}
_REFUSED = {
    "none": "no token is nobody's",
    "signed by somebody else": "whose signature it is: the public key",
    "not signed at all": "which algorithms are taken; never what the token says itself",
    "Ada's, for the notifications": "for whom it was made: the notifications service could use it here",
    "Ada's, of another issuer": "who made it",
    "Ada's, of an hour ago": "until when it holds",
    "Ada's, which never ends": "whether it must say until when: claims that are required",
    "Ada's browser, sent by another site": '"via" in docs/contracts.md: identity; her browser sends its cookie along',
}


def check(bench: Bench) -> list[Finding]:
    """Whom Orchard asks, and whom the service believes, case by case."""
    said, broken = experiment(bench, _PROGRAM)
    return [broken] if broken is not None else [*_where(said["where"]), *_who(said["who"])]


def _where(said: Mapping[str, str]) -> Iterator[Finding]:
    for case, (right, place) in _WHERE.items():
        if said[case] != right:
            yield Finding(what=f"{case}, Orchard asks {said[case]} for its reviews", where=place)


def _who(said: Mapping[str, str]) -> Iterator[Finding]:
    for case, reason in _BELIEVED.items():
        if said[case] != "ada":
            yield Finding(what=f"a token, {case}: taken for {said[case]}", where=f"{_IDENTITY}: {reason}")
    for case, reason in _REFUSED.items():
        if said[case] != "nobody":
            yield Finding(what=f"a token, {case}: taken for {said[case]}", where=f"{_IDENTITY}: {reason}")
