"""The one middleware of the monolith: answers refusals (docs/contracts.md), and tells the proxy who a client is."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, JsonResponse
from django.http.response import HttpResponseBase
from strangler_proxy.effects import token_for

from strangler import flags, identity
from strangler.conf import configuration
from strangler.effects import collecting
from strangler.refusal import Refusal, Watch, refusal_of, watching

IDENTITY_PATH = "/.strangler/identity"
REFUSED = "Strangler-Refused"
MOVE = "Strangler-Move"
EFFECTS = "Strangler-Effects"
_UPSTREAM = "monolith"
"""As the route table calls this process."""


class StranglerMiddleware:
    """Stands last in MIDDLEWARE, behind the authentication: what is outside of it is not replayed with the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == IDENTITY_PATH:
            return _identify(request)
        if (elsewhere := _elsewhere(request.headers.get(MOVE, ""))) is not None:
            return refused(elsewhere, Watch())
        with watching() as watch, collecting(_to_tell(request)) as collected:
            response = self.get_response(request)
        if not watch.refusals:
            if collected is not None:
                response[EFFECTS] = collected.header()
            return response
        response.close()
        return refused(watch.refusals[-1], watch)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """An answer for a refusal that reached the top; __call__ gives it its header. None for all else."""
        return HttpResponse(status=503) if refusal_of(exception) else None


def refused(refusal: Refusal, watch: Watch) -> HttpResponse:
    """The answer that the proxy understands: send it again elsewhere, if nothing has happened here."""
    response = JsonResponse({"detail": f"{refusal}; try again"}, status=503)
    response["Retry-After"] = "1"
    response[REFUSED] = f"move={refusal.move}; term={refusal.term}; replay={int(watch.repeatable)}"
    return response


def _elsewhere(move: str) -> Refusal | None:
    """The refusal of a write that the proxy took for ours, where another database owns the move by now.

    The view would read rows that lag behind the owner's before it met the fence, and answer wrongly.
    """
    if not move:
        return None
    term = flags.term_elsewhere(move)
    return None if term is None else Refusal(move=move, term=term)


def _to_tell(request: HttpRequest) -> str:
    """The move of which the proxy wants to know what this request changes; "" where nobody, or somebody else, asks."""
    move, secret = request.headers.get(EFFECTS, ""), configuration().proxy_token
    given = request.headers.get("Strangler-Rehearsal-Token", "")
    asked = move and secret and hmac.compare_digest(given.encode(), token_for(secret, _UPSTREAM).encode())
    return move if asked else ""


def _identify(request: HttpRequest) -> HttpResponse:
    expected = configuration().proxy_token
    given = request.headers.get("Strangler-Proxy-Token", "")
    if not expected or not hmac.compare_digest(given.encode(), expected.encode()):
        return HttpResponseNotFound()
    token = identity.issue(getattr(request, "user", None), request.GET.get("audience", ""), via="session")
    if token is None:
        return HttpResponse(status=204)
    return JsonResponse({"token": token, "expires_in": identity.LIFETIME})
