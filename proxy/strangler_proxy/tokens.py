"""JSON Web Tokens: whether one is good, and whom it tells of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from strangler_proxy.gateway.authorize import Tokens
from strangler_proxy.jwks import KeysAway, KeySets, UnknownKey
from strangler_proxy.who import Denied, Unknown, Who

_LONGEST = 16_384
_REQUIRED = ["exp", "iss", "aud", "sub"]
_SENTENCES = {
    jwt.ExpiredSignatureError: "the token has expired",
    jwt.ImmatureSignatureError: "the token is not good yet",
    jwt.InvalidAudienceError: "the token is for somebody else",
    jwt.MissingRequiredClaimError: "the token lacks one of exp, iss, aud and sub",
}


@dataclass(frozen=True, kw_only=True)
class Bearers:
    """Reads bearers' tokens."""

    keys: KeySets

    async def who(self, token: str, accepted: Sequence[Tokens]) -> Who:
        """Whom a good token tells of. Raises Denied, or Unknown where the issuer's keys cannot be had."""
        try:
            header, claims = _unverified(token)
            terms = next((one for one in accepted if one.issuer == claims.get("iss")), None)
            if terms is None:
                raise Denied("the token is of an issuer that is not accepted")
            algorithm, kid = header.get("alg"), header.get("kid")
            if algorithm not in terms.algorithms:
                raise Denied("the token is signed by an algorithm that is not accepted")
            key = await self.keys.key(terms.keys, kid, algorithm)
            claims = _verified(token, key, algorithm, terms)
        except KeysAway as error:
            raise Unknown("the keys of the token's issuer cannot be had") from error
        except UnknownKey as error:
            raise Denied("the token is signed by an unknown key") from error
        except jwt.PyJWTError as error:
            raise Denied(_SENTENCES.get(type(error), "the token is not good")) from error
        except (ValueError, TypeError, RecursionError) as error:
            raise Denied("the token is not good") from error
        if not claims["sub"]:
            raise Denied("the token tells of nobody")
        _check_terms(claims, terms)
        return Who(way="token", subject=claims["sub"], issuer=terms.issuer, scopes=tuple(sorted(_scopes(claims))))


def _unverified(token: str) -> tuple[dict[str, Any], Mapping[str, Any]]:
    if len(token) > _LONGEST:
        raise Denied("the token is too long")
    whole = jwt.decode_complete(token, options={"verify_signature": False})
    return whole["header"], whole["payload"]


def _verified(token: str, key: jwt.PyJWK, algorithm: str, terms: Tokens) -> dict[str, Any]:
    return jwt.decode(
        token,
        key,
        algorithms=[algorithm],
        audience=terms.audience,
        issuer=terms.issuer,
        leeway=terms.leeway,
        options={"require": _REQUIRED, "enforce_minimum_key_length": True},
    )


def _check_terms(claims: Mapping[str, Any], terms: Tokens) -> None:
    if not set(terms.scopes) <= _scopes(claims):
        raise Denied("the token lacks a scope", scopes=terms.scopes)
    for name, wanted in terms.claims.items():
        told = claims.get(name)
        # By type too: to Python 1 is True.
        told = told if isinstance(told, list) else [told]
        if not any(type(one) is type(wanted) and one == wanted for one in told):
            raise Denied(f'the token\'s claim "{name}" is not what it must be', forbidden=True)


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    told = claims.get("scope", claims.get("scp", ""))
    parts = told.split() if isinstance(told, str) else told
    return {part for part in parts if isinstance(part, str)} if isinstance(parts, list) else set()
