"""What people meet before, during and after an extraction, and what happens when something dies in the middle."""

import shutil
import threading
import time
import uuid

import httpx
import psycopg
import pytest
from strangler_proxy.routes import bucket

from strangler.deploy.ports import free_port
from strangler.deploy.supervisor import Process
from tests.acceptance.conftest import PLAN

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]

MOVED, SWITCHED = "6", "7"
"""Operations done: the rows are copied and followed; the routes and the ownership have moved."""


def operator(orchard, method, path, **content):
    headers = {"Authorization": f"Bearer {orchard.system.instance.secrets['proxy']}"}
    return httpx.request(method, orchard.url() + path, headers=headers, trust_env=False, **content)


def rows_at(orchard, name, reference):
    dsn = orchard.system.instance.environment()[f"STRANGLER_{name}_DSN"]
    with psycopg.connect(dsn) as connection:
        return connection.execute("SELECT count(*) FROM reviews_review WHERE reference = %s", (reference,)).fetchone()[
            0
        ]


def _wait_for(what):
    deadline = time.monotonic() + 30
    while not what():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.2)


def test_people_log_in_and_write_through_the_proxy_at_every_stage(orchard):
    for product, position in ((1, "zero"), (2, MOVED), (3, SWITCHED), (4, MOVED), (5, "zero")):
        orchard.at(position)
        person = orchard.person()
        written = person.review(product)
        assert written.status_code == 201, (position, written.text)
        path = f"/api/reviews/{written.json()['id']}/"
        assert person.write("PATCH", path, {"title": f"Seen at {position}"}).json()["title"] == f"Seen at {position}"
        assert person.write("POST", f"{path}votes/", {"helpful": True}).status_code == 201
        assert person.client.get("/profile/").status_code == 200
        slug = person.client.get(f"/api/products/{product + 10}/").json()["slug"]
        form = {"rating": "5", "title": f"By form at {position}", "body": "Good."}
        answer = person.submit(f"/products/{slug}/review/", form, page=f"/products/{slug}/")
        assert answer.status_code == 302, (position, answer.text)
        assert answer.headers["location"] == f"/products/{slug}/"
        assert f"By form at {position}" in person.client.get(f"/products/{slug}/").text


def test_csrf_is_enforced_on_both_sides(orchard):
    for position in (MOVED, SWITCHED):
        orchard.at(position)
        person = orchard.person()
        refused = person.client.post("/api/reviews/", json={"product": 20, "rating": 4, "title": "x"})
        assert (refused.status_code, "CSRF" in refused.text) == (403, True), position


def test_a_request_past_the_proxy_has_no_more_rights_than_nobody(orchard):
    orchard.at(SWITCHED)
    person = orchard.person()
    person.client.get("/api/reviews/")
    body = {"product": 21, "rating": 4, "title": "x"}
    forged = {"Strangler-Identity": "forged", "X-CSRFToken": person.client.cookies["csrftoken"]}
    direct = httpx.post(
        f"{orchard.url('reviews')}/api/reviews/",
        json=body,
        headers=forged,
        cookies=dict(person.client.cookies),
        trust_env=False,
    )
    assert direct.status_code == 403
    through = httpx.post(f"{orchard.url()}/api/reviews/", json=body, headers=forged, trust_env=False)
    assert through.status_code == 403
    assert httpx.get(f"{orchard.url()}/.strangler/identity?audience=reviews", trust_env=False).status_code == 404
    assert httpx.get(f"{orchard.url()}/-/table", trust_env=False).status_code == 404


def test_a_write_outside_the_proxy_is_refused_after_the_switch(orchard):
    orchard.at(SWITCHED)
    write = "from monolith.reviews.models import Review; Review.objects.filter(pk=1).update(title='past the proxy')"
    shell = orchard.system.manage("shell", "-c", write, check=False)
    assert shell.returncode != 0
    assert "MoveRefused" in shell.stderr
    assert "owned elsewhere" in shell.stderr


def test_a_task_that_was_queued_before_the_switch_finds_the_rows_after_it(orchard):
    orchard.at(MOVED)
    orchard.system.supervisor.stop("worker")
    person = orchard.person()
    review = person.review(22, title="Buy cheap viagra now", body="http://spam.example casino").json()
    orchard.at(SWITCHED)
    orchard.system.supervisor.start(orchard.system.process("worker"))
    deadline = time.monotonic() + 60
    while person.client.get(f"/api/reviews/{review['id']}/").json()["status"] != "flagged":
        assert time.monotonic() < deadline, "the moderation never reached the service"
        time.sleep(0.5)


def test_pages_are_shown_without_reviews_while_the_service_is_down(orchard):
    orchard.at(SWITCHED)
    person = orchard.person()
    slug = person.client.get("/api/products/1/").json()["slug"]
    orchard.system.supervisor.kill("reviews")
    try:
        page = person.client.get(f"/products/{slug}/")
        assert page.status_code == 200
        assert person.client.get("/products/").status_code == 200
        assert person.client.get("/profile/").status_code == 200
    finally:
        orchard.system.restart("reviews")
    assert person.client.get("/api/reviews/").status_code == 200


def test_a_service_that_dies_in_the_canary_costs_nobody_a_read(orchard):
    orchard.at(MOVED)
    orchard.kill_executor_at(SWITCHED, "acknowledged")
    instance = orchard.system.instance
    table = operator(orchard, "GET", "/-/table").json()
    move = {**table["moves"][0], "n": table["moves"][0]["n"] + 1, "weight": 10_000}
    assert operator(orchard, "PUT", "/-/table", json={**table, "moves": [move]}).status_code == 200
    orchard.system.supervisor.stop("replicate")
    orchard.system.supervisor.kill("reviews")
    try:
        for _ in range(20):
            assert httpx.get(f"{instance.url('proxy')}/api/reviews/", trust_env=False).status_code == 200
        fallbacks = operator(orchard, "GET", "/-/metrics").text
        assert 'strangler_fallbacks_total{move="0001_reviews"}' in fallbacks
    finally:
        orchard.system.restart("reviews")
        orchard.system.restart("replicate")
    orchard.system.supervisor.stop("proxy")
    (instance.home / "proxy" / "table.json").unlink()
    orchard.system.restart("proxy")
    orchard.at(SWITCHED)


def test_everybody_reads_their_own_writes_while_a_canary_splits_the_reads(orchard):
    orchard.at(MOVED)

    def reads_by_the_service():
        return operator(orchard, "GET", f"/-/cohorts/{PLAN}").json()["candidate"]["requests"]

    with orchard.executor_at(SWITCHED, "acknowledged") as executor:
        # Without visitors nothing is conclusive, neither the shadows nor the canary.
        orchard.manage("rollout", PLAN, "promote")
        _wait_for(lambda: "canary at 50%" in orchard.manage("rollout", PLAN))
        orchard.manage("rollout", PLAN, "pause")
        person = orchard.person()
        in_the_canary = next(key for key in (f"{n:022}" for n in range(10_000)) if bucket(key) < 5_000)
        person.client.cookies.set("strangler_client", in_the_canary)
        path = f"/api/reviews/{person.review(7).json()['id']}/"
        for rating in (1, 2, 3, 4, 5) * 4:
            assert person.write("PATCH", path, {"rating": rating}).json()["rating"] == rating
            assert person.client.get(path).json()["rating"] == rating
        before = reads_by_the_service()

        def reads_at_the_service():
            assert person.client.get(path).json()["rating"] == 5
            return reads_by_the_service() > before

        _wait_for(reads_at_the_service)
        with orchard.visited():
            orchard.manage("rollout", PLAN, "resume")
            assert executor.wait(120) == 0
    assert person.client.get(path).json()["rating"] == 5


def test_a_stale_proxy_gets_no_write_through_to_the_wrong_side(orchard):
    orchard.at(MOVED)
    instance, environment = orchard.system.instance, orchard.system.instance.environment()
    person = orchard.person()
    port = free_port()
    state = instance.home / "stale" / "table.json"
    state.parent.mkdir(exist_ok=True)
    shutil.copy(environment["STRANGLER_PROXY_STATE"], state)
    proxy = orchard.system.process("proxy")
    stale = Process(
        name="stale",
        command=proxy.command,
        environment={
            **proxy.environment,
            "STRANGLER_PROXY_LISTEN": f"127.0.0.1:{port}",
            "STRANGLER_PROXY_STATE": str(state),
        },
        ready_url=f"http://127.0.0.1:{port}/-/health",
        ready_headers=proxy.ready_headers,
    )
    orchard.system.supervisor.start(stale)
    orchard.system.supervisor.wait(stale)
    try:
        orchard.at(SWITCHED)
        reference = str(uuid.uuid4())
        body = {"reference": reference, "product": 23, "rating": 3, "title": "Through the stale one"}
        headers = {"X-CSRFToken": person.client.cookies["csrftoken"], "Referer": f"http://127.0.0.1:{port}/"}
        answer = person.client.post(f"http://127.0.0.1:{port}/api/reviews/", json=body, headers=headers)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "strangler-refused" not in answer.headers
        assert rows_at(orchard, "SOURCE", reference) == rows_at(orchard, "REVIEWS", reference) == 0
        assert person.write("POST", "/api/reviews/", body).status_code == 201
    finally:
        orchard.system.supervisor.stop("stale")


def test_a_proxy_that_dies_in_a_hold_loses_no_acknowledged_write(orchard):
    orchard.at(SWITCHED)
    person = orchard.person()
    assert operator(orchard, "PUT", "/-/holds/0001_reviews", json={"seconds": 20}).status_code == 200
    reference, outcome = str(uuid.uuid4()), []

    def write():
        try:
            outcome.append(person.review(24, reference=reference).status_code)
        except httpx.HTTPError:
            outcome.append(None)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.5)
    assert outcome == []
    before = operator(orchard, "GET", "/-/table").json()
    orchard.system.supervisor.kill("proxy")
    writer.join()
    orchard.system.restart("proxy")
    assert outcome == [None]
    assert operator(orchard, "GET", "/-/table").json() == before
    assert rows_at(orchard, "REVIEWS", reference) == 0
    assert person.review(24, reference=reference).status_code == 201


@pytest.mark.parametrize(
    ("seed", "start", "to", "step"),
    [
        (101, MOVED, SWITCHED, "fence"),
        (102, SWITCHED, MOVED, "fence"),
        (103, MOVED, SWITCHED, "commit"),
        (104, SWITCHED, MOVED, "commit"),
        (105, MOVED, SWITCHED, "publish"),
    ],
)
def test_an_executor_killed_under_load_is_resumed_and_the_three_zeros_hold(orchard, seed, start, to, step):
    orchard.at(start)

    def die_and_resume():
        orchard.kill_executor_at(to, step)
        orchard.at(to)

    orchard.under_load(die_and_resume, seed)
