"""The steps that go by OpenAPI documents, on visits without sockets."""

import asyncio
import json
import logging

import pytest
from gate import World, said, table
from strangler_proxy.documents import Documents
from strangler_proxy.gateway import Describe, Fault, Gateway, Mock, Policy, Validate
from strangler_proxy.steps.describing import Describing
from strangler_proxy.steps.mocking import Mocking
from strangler_proxy.steps.validating import Validating

REVIEW = {"type": "object", "required": ["rating"], "properties": {"rating": {"type": "integer", "maximum": 5}}}
JSON = {"application/json": {"schema": REVIEW, "example": {"rating": 4}}}
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "security": [{"cookie": []}],
    "components": {"securitySchemes": {"cookie": {"type": "apiKey", "in": "cookie", "name": "sessionid"}}},
    "paths": {
        "/api/reviews/{id}/": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "get": {
                "parameters": [{"name": "page", "in": "query", "schema": {"type": "integer"}}],
                "responses": {"200": {"description": "", "content": JSON}},
            },
            "post": {
                "requestBody": {"required": True, "content": JSON},
                "responses": {"201": {"description": "", "content": JSON}},
            },
        }
    },
}
KIND = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def documents():
    known = Documents()
    known.put("monolith", DOCUMENT)
    return known


def validating(documents, requests="refuse", answers="refuse"):
    step = Validating(documents=documents)
    world = World(table(Policy(path="/", validate=Validate(requests=requests, answers=answers))))
    return step, world


def ask(step, visit):
    return asyncio.run(step.enter(visit))


@pytest.mark.parametrize(
    ("target", "how", "wrong"),
    [
        ("/api/reviews/5/?page=2", {}, None),
        ("/api/reviews/x/", {}, "Path parameter error: id"),
        ("/api/reviews/5/?page=two", {}, "Query parameter error: page"),
        ("/api/unknown/", {}, "Path not found for /api/unknown/"),
        ("/api/reviews/5/", {"method": "PUT"}, "Operation put not found"),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": b'{"rating": 5}'}, None),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": b'{"rating": 6}'}, "6 is greater than"),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": b"{}"}, "'rating' is a required property"),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": b"{"}, ""),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": b"[" * 100_000}, ""),
        ("/api/reviews/5/", {"method": "POST", "headers": KIND, "body": None}, "too long to be looked at"),
        ("/api/reviews/5/", {"method": "POST", "headers": {"Content-Type": "text/x"}, "body": b"x"}, "text/x"),
    ],
)
def test_a_request_that_is_not_as_documented_is_answered_400(documents, target, how, wrong):
    step, world = validating(documents)
    answer = ask(step, world.visit(target, **how))
    assert (answer and answer.status) == (None if wrong is None else 400)
    if wrong:
        assert wrong in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    ("answer", "fine"),
    [
        (said(200, b'{"rating": 5}', Content_Type="application/json"), True),
        (said(200, b'{"rating": "5"}', Content_Type="application/json"), False),
        (said(200, b"<p>", Content_Type="text/html"), False),
        (said(404, b"{}", Content_Type="application/json"), False),
        (said(304), True),
    ],
)
def test_an_answer_that_is_not_as_documented_becomes_502(documents, answer, fine):
    step, world = validating(documents)
    visit = world.visit("/api/reviews/5/")
    assert ask(step, visit) is None
    assert visit.keep_json
    visit.decision = world.decide(visit.target)
    left = asyncio.run(step.leave(visit, answer))
    assert left == answer if fine else left.status == 502


def test_what_is_only_reported_passes_and_its_values_are_not_logged(documents, caplog):
    step, world = validating(documents, requests="report", answers="report")
    visit = world.visit("/api/reviews/5/?token=secret", KIND, method="POST", body=b'{"rating": "secret"}')
    with caplog.at_level(logging.WARNING):
        assert ask(step, visit) is None
    assert [record.getMessage() for record in caplog.records] == [
        "the request of POST /api/reviews/5/ is not as documented: InvalidRequestBody at $.rating (type)"
    ]


def test_where_there_is_no_document_nobody_passes_who_has_to_be_validated(documents):
    nothing = Documents()
    step, world = validating(nothing)
    assert ask(step, world.visit("/api/reviews/5/")).status == 503
    step, world = validating(nothing, requests="report", answers="")
    assert ask(step, world.visit("/api/reviews/5/")) is None


def mocked(documents, target="/api/reviews/5/", headers=None, *, mock=None, client="a", method="GET", slept=None):
    async def sleep(seconds):
        slept.append(seconds)

    world = World(table(Policy(path="/", mock=mock or Mock())))
    visit = world.visit(target, headers, client=client, method=method)
    return asyncio.run(Mocking(documents=documents, sleep=sleep).enter(visit))


def test_a_mock_answers_what_the_document_gives_as_an_example(documents):
    answer = mocked(documents)
    assert (answer.status, json.loads(answer.body), answer.header(b"x-mock")) == (200, {"rating": 4}, "1")
    assert mocked(documents, method="POST").status == 201
    head = mocked(documents, method="HEAD")
    assert (head.body, head.header(b"content-length")) == (b"", str(len(answer.body)))
    assert mocked(documents, headers={"Prefer": "code=404"}).status == 501
    assert mocked(documents, "/api/unknown/").status == 501
    assert mocked(Documents()).status == 501


def test_faults_meet_the_same_requests_of_the_same_clients_each_time(documents):
    mock = Mock(answers=False, faults=(Fault(share=0.3, delay=2, status=503),))
    slept = []
    first = [mocked(documents, mock=mock, client=str(number), slept=slept) is not None for number in range(1_000)]
    again = [mocked(documents, mock=mock, client=str(number), slept=[]) is not None for number in range(1_000)]
    assert first == again
    assert 250 < sum(first) < 350
    assert slept == [2] * sum(first)


def test_a_fault_may_only_delay_and_the_next_may_answer(documents):
    slept = []
    mock = Mock(faults=(Fault(delay=1), Fault(status=418)))
    assert mocked(documents, mock=mock, slept=slept).status == 418
    assert slept == [1, 0]


def test_the_page_and_the_document_are_at_the_policys_path_and_nothing_else_is(documents):
    world = World(table(Policy(path="/docs/", describe=Describe(title="Shop"))))
    step = Describing(documents=documents, table=lambda: world.table)
    page = ask(step, world.visit("/docs/?x"))
    assert (page.status, page.header(b"content-type")) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in page.header(b"content-security-policy")
    assert b"/api/reviews/{id}/" in page.body
    whole = json.loads(ask(step, world.visit("/docs/openapi.json")).body)
    assert whole["paths"]["/api/reviews/{id}/"]["get"]["x-strangler-owner"] == "monolith"
    assert [ask(step, world.visit(target)).status for target in ("/docs/x", "/docs")] == [404, 404]
    assert ask(step, world.visit("/docs/", method="POST")).status == 404
    Documents().put("monolith", whole)  # what comes out can be taken in
    world.table = table(Policy(path="/docs/", describe=Describe(title="Shop")), weight=1, routes=("/api/reviews/",))
    again = json.loads(ask(step, world.visit("/docs/openapi.json")).body)
    assert again["paths"]["/api/reviews/{id}/"]["get"]["x-strangler-candidate"] == "reviews"


def test_documents_are_remembered_and_a_bad_one_changes_nothing(tmp_path):
    path = tmp_path / "routes.json.openapi"
    known = Documents.open(path)
    known.put("monolith", DOCUMENT)
    with pytest.raises(ValueError, match="is not valid"):
        known.put("monolith", {**DOCUMENT, "info": 3})
    with pytest.raises(ValueError, match="outside of itself"):
        known.put("monolith", {**DOCUMENT, "paths": {"/x": {"$ref": "http://evil/"}}})
    assert Documents.open(path).known == known.known
    path.write_text("[]")
    with pytest.raises(ValueError, match="remove it, then publish"):
        Documents.open(path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"validate": {"requests": "maybe"}}, 'validated with "maybe"'),
        ({"mock": {"faults": [{"share": 2}]}}, "must be from 0 to 1"),
        ({"mock": {"faults": [{"delay": 61}]}}, "must be from 0 to 60"),
        ({"mock": {"faults": [{"status": 200}]}}, "must be from 400 to 599"),
    ],
)
def test_bad_policies_are_refused_in_one_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        Gateway.from_json({"policies": [{"path": "/", **given}]})
