"""One request, followed by the logs of all parts that it came to."""

from __future__ import annotations

import secrets
import time

import httpx
import pytest

from strangler.tracing.logs import lines_of
from strangler.workshop.instance import PASSWORD
from tests.acceptance.conftest import SWITCHED

pytestmark = pytest.mark.acceptance


def test_a_person_who_is_deleted_leaves_one_trace_over_proxy_monolith_worker_and_service(orchard):
    orchard.at(SWITCHED)
    person, trace = orchard.person(), secrets.token_hex(16)
    assert person.review(31).status_code == 201
    number = person.client.get("/api/reviews/?ordering=-created_at").json()["results"][0]["author"]["id"]
    with httpx.Client(base_url=orchard.url(), timeout=30, trust_env=False) as admin:
        for path, form in (
            ("/admin/login/", {"username": "admin", "password": PASSWORD}),
            (f"/admin/accounts/user/{number}/delete/", {"post": "yes"}),
        ):
            admin.get(path)
            form["csrfmiddlewaretoken"] = admin.cookies["csrftoken"]
            headers = {"Referer": orchard.url() + path, "traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}
            assert admin.post(path, data=form, headers=headers).status_code == 302, path
    deadline = time.monotonic() + 60
    while {"proxy", "orchard", "worker", "reviews"} - (told := _told(orchard, trace)).keys():
        assert time.monotonic() < deadline, told
        time.sleep(0.2)
    assert f"POST /admin/accounts/user/{number}/delete/ 302" in told["proxy"]
    assert f"POST /admin/accounts/user/{number}/delete/ 302" in told["orchard"]
    assert "task reviews.forget done" in told["worker"]
    assert "DELETE /api/reviews/ 204" in told["reviews"]


def _told(orchard, trace):
    """{component: all its lines of the trace}."""
    told: dict[str, str] = {}
    for line in lines_of(orchard.system.instance.home / "processes"):
        if line.trace == trace:
            told[line.component] = f"{told.get(line.component, '')}\n{line.text}"
    return told
