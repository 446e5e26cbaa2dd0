"""Developers' keys: rows in the monolith's database, which all proxies are told of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from strangler_proxy.gateway.keys import ApiKey, KeyPage, digest_of, new_id, new_secret

from strangler.errors import StranglerError
from strangler.plans.databases import MONOLITH, Databases
from strangler.split.store import Store

PAGE = 1_000
"""Keys that a proxy is told of at once: an operator's request has at most 1 MiB."""
_LOCK = "developers' keys"
_COLUMNS = "id, developer, digest, old, old_until, plan, scopes, routes, created_at, expires_at, revoked_at"


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A key as it stands in the register."""

    key: ApiKey
    created: float
    revoked: float | None

    def state(self, now: float) -> str:
        """In a word or two."""
        if self.revoked is not None:
            return "revoked"
        if self.key.expires is not None and self.key.expires <= now:
            return "expired"
        return "rotating" if self.key.old and now < self.key.old_until else "good"


@dataclass(frozen=True, kw_only=True)
class Register:
    """All keys. A secret is returned by whatever makes it and never again. Raises StranglerError."""

    databases: Databases

    def create(
        self,
        *,
        developer: str,
        plan: str = "",
        scopes: tuple[str, ...] = (),
        routes: tuple[str, ...] = (),
        seconds: float | None = None,
    ) -> str:
        """A new key, which is good for so many seconds or for ever, as its developer is to show it."""
        if not developer.strip():
            raise StranglerError("the key has no developer; say who is to have it")
        secret = new_secret()
        try:
            made = ApiKey(
                id=new_id(), developer=developer, digest=digest_of(secret), plan=plan, scopes=scopes, routes=routes
            )
        except ValueError as error:
            raise StranglerError(str(error)) from error
        with self._changing() as (store, now, revision):
            store.execute(
                f"INSERT INTO strangler.api_keys ({_COLUMNS}, changed) "  # noqa: S608 - the names are above
                "VALUES (%s, %s, %s, '', 0, %s, %s, %s, %s, %s, NULL, %s)",
                (
                    *(made.id, made.developer, made.digest, made.plan, json.dumps(made.scopes)),
                    *(json.dumps(made.routes), now, None if seconds is None else now + seconds, revision),
                ),
            )
        return f"{made.id}.{secret}"

    def rotate(self, name: str, *, keep: float) -> str:
        """A new secret for a key; the one before is good for so many seconds more."""
        secret = new_secret()
        with self._changing() as (store, now, revision):
            found = _one(store, name)
            if (state := found.state(now)) not in ("good", "rotating"):
                raise StranglerError(f'the key "{name}" is {state}; create another one')
            store.execute(
                "UPDATE strangler.api_keys SET digest = %s, old = %s, old_until = %s, changed = %s WHERE id = %s",
                (digest_of(secret), found.key.digest, now + keep, revision, name),
            )
        return f"{name}.{secret}"

    def revoke(self, name: str) -> None:
        """Let nobody through any more for a key, by any of its secrets."""
        with self._changing() as (store, now, revision):
            if _one(store, name).revoked is None:
                store.execute(
                    "UPDATE strangler.api_keys SET revoked_at = %s, changed = %s WHERE id = %s", (now, revision, name)
                )

    def all(self) -> list[Registered]:
        """By the time at which they were made. This is a read-only operation."""
        with self.databases.connect(MONOLITH) as store:
            return _read(store, "ORDER BY created_at, id") if store.has_tables("api_keys") else []

    @contextmanager
    def _changing(self) -> Iterator[tuple[Store, float, int]]:
        """A transaction that is alone, its moment, and the revision that it makes.

        A revision is of the time too, so that after a restored backup none comes again that proxies have seen.
        """
        with self.databases.connect(MONOLITH) as store:
            store.create_plan_tables("")
            with store.alone(_LOCK):
                now = store.now()
                yield store, now, max(newest(store) + 1, int(now * 1_000))


def page_after(store: Store, revision: int) -> KeyPage | None:
    """What proxies at that revision have to be told next; None where they know all."""
    last = newest(store)
    if last == revision:
        return None
    # A proxy that is ahead has seen keys that a restored database does not know.
    after = revision if revision < last else 0
    rows = store.query(
        f"SELECT {_COLUMNS}, changed FROM strangler.api_keys WHERE changed > %s "  # noqa: S608 - the names are above
        f"ORDER BY changed LIMIT {PAGE}",
        (after,),
    )
    return KeyPage(
        after=after,
        revision=rows[-1][-1] if rows else 0,
        keys=tuple(_registered(row[:-1]).key for row in rows),
        replaces=0 if after else revision,
    )


def newest(store: Store) -> int:
    """The revision of the last change; 0 before there was any."""
    return int(store.scalar("SELECT max(changed) FROM strangler.api_keys") or 0)


def _one(store: Store, name: str) -> Registered:
    found = _read(store, "WHERE id = %s", (name,))
    if not found:
        raise StranglerError(f'there is no key "{name}"; "apikeys list" shows all')
    return found[0]


def _read(store: Store, which: str, params: tuple[object, ...] = ()) -> list[Registered]:
    rows = store.query(f"SELECT {_COLUMNS} FROM strangler.api_keys {which}", params)  # noqa: S608 - as above
    return [_registered(row) for row in rows]


def _registered(row: tuple[Any, ...]) -> Registered:
    name, developer, digest, old, old_until, plan, scopes, routes, created, expires, revoked = row
    key = ApiKey(
        id=name,
        developer=developer,
        digest=digest,
        old=old,
        old_until=old_until,
        plan=plan,
        scopes=tuple(json.loads(scopes)),
        routes=tuple(json.loads(routes)),
        expires=expires,
        revoked=revoked is not None,
    )
    return Registered(key=key, created=created, revoked=revoked)
