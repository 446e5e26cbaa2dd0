"""The register of keys and their usage, on every engine that a monolith's database may be of."""

import threading

import pytest
from strangler_proxy.gateway.keys import KeyRing
from strangler_proxy.gateway.usage import UsageReport, UsageRow

from strangler.developers import register as registers
from strangler.developers.register import Register, page_after
from strangler.developers.usage import keep, used
from strangler.errors import StranglerError
from strangler.plans.databases import MONOLITH, Databases
from strangler.split.store import Database
from tests.integration.plans.conftest import mariadb, mysql, new_database

__all__ = ["mariadb", "mysql"]  # fixtures


@pytest.fixture(params=["postgresql", "sqlite", "mariadb", "mysql"])
def databases(request, tmp_path):
    with new_database(request.param, request, tmp_path) as dsn:
        yield Databases(monolith=Database(name="source", dsn=dsn))


def good(ring, shown, now):
    name, _, secret = shown.partition(".")
    key = ring.keys.get(name)
    return key is not None and key.refusal(secret, now) is None


def brought(databases, ring=None):
    """The ring of a proxy that has been told all that follows its own."""
    ring = ring or KeyRing()
    with databases.connect(MONOLITH) as store:
        store.create_plan_tables("")
        while (page := page_after(store, ring.revision)) is not None:
            ring = ring.with_page(page)
        return ring, store.now()


def test_a_key_lives_from_its_creation_to_its_end(databases):
    register = Register(databases=databases)
    assert register.all() == []
    first = register.create(
        developer="Ann's “shop” 100%", plan="small", scopes=("read", "write"), routes=("/api/<pk>/",), seconds=60
    )
    other = register.create(developer="bob")
    ring, now = brought(databases)
    assert good(ring, first, now)
    assert not good(ring, first, now + 61)
    assert not good(ring, first + "x", now)
    key = ring.keys[first.partition(".")[0]]
    assert (key.developer, key.scopes, key.routes) == ("Ann's “shop” 100%", ("read", "write"), ("/api/<pk>/",))

    second = register.rotate(key.id, keep=30)
    ring, now = brought(databases, ring)
    assert (good(ring, first, now), good(ring, second, now)) == (True, True)
    assert (good(ring, first, now + 31), good(ring, second, now + 31)) == (False, True)
    register.rotate(key.id, keep=0)  # of three secrets the first is no good any more, nor is the second
    ring, now = brought(databases, ring)
    assert (good(ring, first, now), good(ring, second, now)) == (False, False)

    register.revoke(key.id)
    register.revoke(key.id)
    ring, now = brought(databases, ring)
    assert [found.state(now) for found in register.all()] == ["revoked", "good"]
    assert ring.keys[key.id].revoked
    assert good(ring, other, now)
    with pytest.raises(StranglerError, match=f'the key "{key.id}" is revoked; create another one'):
        register.rotate(key.id, keep=0)
    with pytest.raises(StranglerError, match='there is no key "key_x"; "apikeys list" shows all'):
        register.revoke("key_x")


def test_no_secret_is_in_the_database(databases):
    register = Register(databases=databases)
    shown = [register.create(developer="ann")]
    shown.append(register.rotate(shown[0].partition(".")[0], keep=10))
    with databases.connect(MONOLITH) as store:
        rows = str(store.query("SELECT * FROM strangler.api_keys"))
    assert not any(one.partition(".")[2] in rows for one in shown)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"developer": " "}, "say who is to have it"),
        ({"developer": "ann", "scopes": ("a b",)}, "has a space"),
        ({"developer": "ann", "routes": ("api",)}, 'must begin and end with "/"'),
    ],
)
def test_what_would_be_no_key_is_refused_before_anything_is_written(tmp_path, given, why):
    databases = Databases(monolith=Database(name="source", dsn=f"sqlite://{tmp_path}/none.sqlite3"))
    with pytest.raises(StranglerError, match=why):
        Register(databases=databases).create(**given)
    assert not (tmp_path / "none.sqlite3").exists()


def test_keys_that_are_made_at_once_have_a_revision_each_and_proxies_get_them_page_by_page(databases, monkeypatch):
    monkeypatch.setattr(registers, "PAGE", 3)
    register = Register(databases=databases)
    register.create(developer="first")
    made = []
    threads = [
        threading.Thread(target=lambda: made.extend(register.create(developer="ann") for _ in range(4)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ring, now = brought(databases)
    assert len(ring.keys) == 9
    assert all(good(ring, shown, now) for shown in made)
    assert brought(databases, ring)[0] is ring


def test_after_a_restored_backup_proxies_forget_what_the_database_does_not_know(databases):
    register = Register(databases=databases)
    kept, lost = register.create(developer="ann"), register.create(developer="bob")
    ring, _ = brought(databases)
    with databases.connect(MONOLITH) as store:
        store.execute("DELETE FROM strangler.api_keys WHERE id = %s", (lost.partition(".")[0],))
    after, now = brought(databases, ring)
    assert (good(after, kept, now), good(after, lost, now)) == (True, False)
    new = register.create(developer="bob")
    # A proxy that was away meanwhile is told of the new key all the same.
    assert good(brought(databases, ring)[0], new, now)


def told(process, key, day, requests, refused=0, failed=0):
    return UsageRow(process=process, key=key, day=day, requests=requests, refused=refused, failed=failed)


def test_usage_is_added_over_proxies_and_what_is_told_twice_or_late_counts_once(databases):
    register = Register(databases=databases)
    name = register.create(developer="ann", plan="small").partition(".")[0]
    reports = [
        (told("one", name, "2026-11-25", 3, 1), told("one", name, "2026-11-26", 10)),
        (told("two", name, "2026-11-26", 5, 2, 1), told("two", "key_gone", "2026-11-26", 1)),
        (told("one", name, "2026-11-26", 12),),
        (told("one", name, "2026-11-26", 12, 1),),
    ]
    with databases.connect(MONOLITH) as store:
        for rows in (*reports, reports[2], reports[0], reports[1]):
            keep(store, UsageReport(rows=rows))
    found = used(databases, since="2026-11-25", until="2026-11-26")
    assert [(row.day, row.key, row.developer, row.requests, row.refused, row.failed) for row in found] == [
        ("2026-11-25", name, "ann", 3, 1, 0),
        *sorted(
            [("2026-11-26", name, "ann", 17, 3, 1), ("2026-11-26", "key_gone", "", 1, 0, 0)], key=lambda row: row[1]
        ),
    ]
    assert [row.plan for row in found if row.key == name] == ["small", "small"]
    assert used(databases, since="2026-11-27", until="2026-12-31") == []
