"""Lets those through whom a policy accepts, and tells upstreams who they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from strangler_proxy import metrics
from strangler_proxy.answers import Answer, as_json
from strangler_proxy.forwarding import Fields
from strangler_proxy.gateway.authorize import Authorize
from strangler_proxy.gateway.keys import HEADER
from strangler_proxy.keys import Developers
from strangler_proxy.people import People
from strangler_proxy.steps.visit import Visit
from strangler_proxy.tokens import Bearers
from strangler_proxy.who import Denied, Unknown, Who

_BEARER = "bearer "
_KEY = HEADER.lower().encode()
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_SHARED = frozenset({"public", "s-maxage", "private"})
_OTHERS_CACHES = frozenset({b"surrogate-control", b"cdn-cache-control"})


@dataclass(frozen=True, kw_only=True)
class Authorizing:
    """The first of key, token and session that a request shows and the policy accepts decides."""

    bearers: Bearers
    people: People
    developers: Developers

    async def enter(self, visit: Visit) -> Answer | None:
        """401 where nothing is shown that is accepted, 403 where it is not enough, 503 where nobody can tell."""
        policy = visit.policy.authorize
        if policy is None:
            return None
        realm = visit.policy.stated["authorize"]
        if (answer := await self._refusal(policy, realm, visit)) is not None:
            metrics.DENIED.labels(realm, str(answer.status)).inc()
        return answer

    async def leave(self, visit: Visit, answer: Answer) -> Answer:
        """Kept by the client alone: no cache before us knows whom the policy lets through."""
        return answer if visit.policy.authorize is None else replace(answer, fields=private(answer.fields))

    async def _refusal(self, policy: Authorize, realm: str, visit: Visit) -> Answer | None:
        """Why it is not let through; where it is, the visit knows who it is from."""
        if not (policy.keys or policy.tokens or policy.session or policy.anonymous):
            return _answer(403, "nobody may do this")
        try:
            who = await self._who(policy, visit)
        except Unknown as error:
            return _answer(503, f"{error}; try again", Retry_After="1")
        except Denied as error:
            return _denied(error, policy, realm)
        if who is None:
            return None if policy.anonymous else _denied(None, policy, realm)
        visit.user, visit.key, visit.plan = who.user, who.key, who.plan
        visit.fields += who.fields()
        return None

    async def _who(self, policy: Authorize, visit: Visit) -> Who | None:
        if policy.keys is not None and (shown := _take_key(visit)):
            return self.developers.who(shown, visit.target, policy.keys)
        given = visit.authorization or ""
        if policy.tokens and given.lower().startswith(_BEARER):
            return await self.bearers.who(given[len(_BEARER) :].strip(), policy.tokens)
        if policy.session is not None:
            return await self.people.who(visit.cookies, visit.authorization, policy.session)
        return None


def _take_key(visit: Visit) -> str:
    """The key that the request shows, which no upstream gets to see; an empty text is none."""
    shown = [value for name, value in visit.fields if _is_key(name)]
    visit.fields = tuple(field for field in visit.fields if not _is_key(field[0]))
    return b", ".join(shown).decode("latin-1").strip()


def _is_key(name: bytes) -> bool:
    return name.lower() == _KEY


def private(fields: Fields) -> Fields:
    """The fields of an answer that only its client's own cache may keep, whatever else they say of caches."""
    said = [value.decode("latin-1") for name, value in fields if name.lower() == b"cache-control"]
    directives = [part.strip() for part in _DIRECTIVE.findall(",".join(said))]
    kept = [part for part in directives if part and part.partition("=")[0].strip().lower() not in _SHARED]
    others = (
        field for field in fields if field[0].lower() not in _OTHERS_CACHES and field[0].lower() != b"cache-control"
    )
    return (*others, (b"Cache-Control", ", ".join(["private", *kept]).encode("latin-1")))


def _denied(error: Denied | None, policy: Authorize, realm: str) -> Answer:
    challenges = ", ".join(_challenges(error, policy, realm))
    if error is None:
        return _answer(401, "say who you are", WWW_Authenticate=challenges)
    if not error.forbidden:
        return _answer(401, str(error), WWW_Authenticate=challenges)
    return _answer(403, str(error), **({"WWW_Authenticate": challenges} if error.scopes else {}))


def _challenges(error: Denied | None, policy: Authorize, realm: str) -> Iterator[str]:
    if policy.tokens:
        code = {} if error is None else {"error": "insufficient_scope" if error.scopes else "invalid_token"}
        scope = {"scope": " ".join(error.scopes)} if error is not None and error.scopes else {}
        parts = {"realm": realm, **code, **scope}
        yield "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parts.items())
    if policy.keys is not None:
        yield f'ApiKey realm="{realm}", header="{HEADER}"'
    if policy.session is not None:
        yield f'Session realm="{realm}"'


def _answer(status: int, detail: str, **headers: str) -> Answer:
    return as_json(status, {"detail": detail}, Cache_Control="no-store", **headers)
