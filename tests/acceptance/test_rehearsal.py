"""Writes at the whole Orchard that the service rehearses, through a proxy and a table of the tests' own."""

import time
import uuid
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from strangler.deploy.ports import free_port
from strangler.deploy.supervisor import Process
from tests.acceptance.conftest import MOVED, PLAN, Person

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]


@contextmanager
def rehearsing(orchard):
    """The address of a proxy that has every write rehearsed, and what asks it as its operator."""
    port, proxy = free_port(), orchard.system.process("proxy")
    url, state = f"http://127.0.0.1:{port}", orchard.system.instance.home / "rehearsing" / "table.json"
    process = Process(
        name="rehearsing",
        command=proxy.command,
        environment={
            **proxy.environment,
            "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
            "STRANGLER_PROXY_STATE": str(state),
        },
        ready_url=f"{url}/-/health",
        ready_headers=proxy.ready_headers,
    )

    def operate(method, path, **content):
        return httpx.request(method, url + path, headers=proxy.ready_headers, trust_env=False, **content).json()

    orchard.system.supervisor.start(process)
    orchard.system.supervisor.wait(process)
    try:
        table = httpx.get(f"{orchard.url()}/-/table", headers=proxy.ready_headers, trust_env=False).json()
        ignore = ["$.reference", "rows reviews_review.reference", "rows reviews_vote.reference"]
        rehearsed = {"shadow_writes": 10_000, "ignore": ignore}
        moves = [{**move, **rehearsed} if move["move"] == PLAN else move for move in table["moves"]]
        operate("PUT", "/-/table", json={**table, "moves": moves})
        yield url, operate
    finally:
        orchard.system.supervisor.stop("rehearsing")


def compared(operate, what, times=20):
    """Write until one was compared: changes of others, and of the write before, may be under way."""

    def seen():
        return {"compared": 0, "unclear": 0, "unanswered": 0, **operate("GET", f"/-/shadows/{PLAN}")}

    def judged(of):
        return of["compared"] + of["unclear"] + of["unanswered"]

    for _ in range(times):
        before, answer = seen(), what()
        deadline = time.monotonic() + 15
        while judged(after := seen()) == judged(before):
            assert time.monotonic() < deadline, after
            time.sleep(0.05)
        if after["compared"] > before["compared"]:
            return answer, after
        time.sleep(0.2)
    raise AssertionError(f"no rehearsal could be compared: {after}")


def count(orchard):
    with psycopg.connect(orchard.system.instance.environment()["STRANGLER_REVIEWS_DSN"]) as connection:
        return connection.execute("SELECT last_value FROM reviews_review_id_seq").fetchone()


@contextmanager
def writing_otherwise(orchard):
    """A service whose new reviews get another rating than was asked for."""
    reviews = orchard.system.instance.environment()["STRANGLER_REVIEWS_DSN"]
    with psycopg.connect(reviews, autocommit=True) as service:
        service.execute(
            "CREATE FUNCTION worse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.rating := 1; RETURN NEW; END $$; "
            "CREATE TRIGGER worse BEFORE INSERT ON reviews_review FOR EACH ROW EXECUTE FUNCTION worse()"
        )
        try:
            yield
        finally:
            service.execute("DROP FUNCTION worse() CASCADE")


def test_the_service_rehearses_what_the_monolith_writes_and_none_of_it_happens(orchard):
    orchard.at(MOVED)
    sequence = count(orchard)
    with rehearsing(orchard) as (url, operate):
        person, products = Person(url), iter(range(30, 60))
        written, seen = compared(operate, lambda: person.review(next(products)))
        path = f"/api/reviews/{written.json()['id']}/"
        for method, where, body in (
            ("PATCH", path, {"title": "Changed"}),
            ("POST", f"{path}votes/", {"helpful": True}),
            ("POST", "/api/reviews/", {"reference": str(uuid.uuid4()), "product": 1, "rating": 9, "title": "Too good"}),
            ("DELETE", path, None),
        ):
            answer, seen = compared(operate, lambda m=method, w=where, b=body: person.write(m, w, b))
            # One that is sent again, since nothing could be said of the first, may find nothing any more.
            assert answer.status_code in {"PATCH": (200,), "POST": (200, 201, 400), "DELETE": (204, 404)}[method]
        assert (seen["different"], seen["differing"]) == (0, []), seen
        with writing_otherwise(orchard):
            seen = compared(operate, lambda: person.review(next(products)))[1]
        assert {one["path"] for one in seen["differing"]} >= {"rows reviews_review.rating", "$.rating"}
    assert count(orchard) == sequence
