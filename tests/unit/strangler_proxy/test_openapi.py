"""Documents of interfaces: what is taken in, how several become one, what the page shows, what examples they give."""

import copy
import json

import pytest
from strangler_proxy.gateway import Gateway, Policy, Transform, Version, Versions
from strangler_proxy.openapi.document import checked
from strangler_proxy.openapi.examples import Example, example_of, operation_at
from strangler_proxy.openapi.merging import merged
from strangler_proxy.openapi.page import page
from strangler_proxy.routes import MoveRoutes, RouteTable, Upstream

REF = {"$ref": "#/components/schemas/Review"}


def document(paths, schemas=None, **more):
    given = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths, **more}
    return {**given, "components": {"schemas": schemas}} if schemas else given


def operation(name, schema=None, **more):
    content = {"content": {"application/json": {"schema": schema}}} if schema else {}
    return {"operationId": name, "responses": {"200": {"description": "", **content}}, **more}


def table(owner="monolith", weight=0, policies=()):
    other = "reviews" if owner == "monolith" else "monolith"
    move = MoveRoutes(
        move="0001",
        term=1,
        n=0,
        owner=owner,
        candidate=other,
        weight=weight,
        routes=("/api/reviews/", "/api/p/<pk>/r/"),
    )
    upstreams = (Upstream(name="monolith", url="http://m:1"), Upstream(name="reviews", url="http://r:1"))
    return RouteTable(default="monolith", upstreams=upstreams, moves=(move,), gateway=Gateway(policies=policies))


MONOLITH = document(
    {
        "/api/reviews/": {"get": operation("list", REF)},
        "/api/p/{id}/r/": {"get": operation("of", REF)},
        "/api/orders/": {"get": operation("orders", {"$ref": "#/components/schemas/Page"})},
    },
    {
        "Review": {"type": "object"},
        "Page": {"type": "object", "properties": {"first": REF}},
        "Same": {"type": "string"},
    },
    security=[{"cookieAuth": []}],
)
REVIEWS = document(
    {
        "/api/reviews/": {"get": operation("list", REF), "parameters": [{"name": "q", "in": "query"}]},
        "/api/p/{pk}/r/": {"get": operation("of", REF)},
    },
    {"Review": {"type": "object", "title": "new"}, "Same": {"type": "string"}},
)
BOTH = {"monolith": MONOLITH, "reviews": REVIEWS}


def test_of_each_path_the_owners_document_speaks():
    before, _ = merged(BOTH, table(), "Shop")
    after, problems = merged(BOTH, table("reviews"), "Shop")
    assert problems == []
    assert {path: item["get"]["x-strangler-owner"] for path, item in before["paths"].items()} == dict.fromkeys(
        MONOLITH["paths"], "monolith"
    )
    assert {path: item["get"]["x-strangler-owner"] for path, item in after["paths"].items()} == {
        "/api/reviews/": "reviews",
        "/api/p/{pk}/r/": "reviews",
        "/api/orders/": "monolith",
    }
    listed = after["paths"]["/api/reviews/"]["get"]
    assert (listed["x-strangler-move"], listed["x-strangler-route"]) == ("0001", "/api/reviews/")
    assert listed["parameters"] == [{"name": "q", "in": "query"}]
    assert "security" not in listed
    assert after["paths"]["/api/orders/"]["get"]["security"] == [{"cookieAuth": []}]


def test_a_canarys_candidate_is_named_where_it_is_asked():
    monolith = copy.deepcopy(MONOLITH)
    monolith["paths"]["/api/reviews/"]["post"] = operation("write")
    canary, _ = merged({"monolith": monolith}, table(weight=100), "Shop")
    listed = canary["paths"]["/api/reviews/"]
    assert listed["get"]["x-strangler-candidate"] == "reviews"
    assert "x-strangler-candidate" not in listed["post"]


def test_a_name_that_means_two_things_becomes_two_names_also_where_it_is_referred_to():
    whole, _ = merged(BOTH, table("reviews"), "Shop")
    schemas = whole["components"]["schemas"]
    assert sorted(schemas) == ["Page", "Same", "monolith.Review", "reviews.Review"]
    assert schemas["reviews.Review"]["title"] == "new"
    assert schemas["Page"]["properties"]["first"] == {"$ref": "#/components/schemas/monolith.Review"}
    content = whole["paths"]["/api/reviews/"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == {"$ref": "#/components/schemas/reviews.Review"}
    checked(whole, "all")  # every reference leads somewhere


def test_what_refers_to_two_meanings_has_two_meanings_itself():
    reviews = copy.deepcopy(REVIEWS)
    reviews["components"]["schemas"]["Page"] = MONOLITH["components"]["schemas"]["Page"]
    whole, _ = merged({"monolith": MONOLITH, "reviews": reviews}, table("reviews"), "Shop")
    assert {"monolith.Page", "reviews.Page"} <= set(whole["components"]["schemas"])
    checked(whole, "all")


def test_schemes_of_security_are_told_apart_by_their_names_too():
    one, two = copy.deepcopy(MONOLITH), copy.deepcopy(REVIEWS)
    one["components"]["securitySchemes"] = {"auth": {"type": "http", "scheme": "basic"}}
    two["components"]["securitySchemes"] = {"auth": {"type": "http", "scheme": "bearer"}}
    one["security"] = two["security"] = [{"auth": []}]
    whole, _ = merged({"monolith": one, "reviews": two}, table("reviews"), "Shop")
    assert whole["paths"]["/api/orders/"]["get"]["security"] == [{"monolith.auth": []}]
    assert whole["paths"]["/api/reviews/"]["get"]["security"] == [{"reviews.auth": []}]


def test_operations_have_one_name_each():
    reviews = copy.deepcopy(REVIEWS)
    reviews["paths"]["/api/reviews/"]["get"]["operationId"] = "orders"
    whole, _ = merged({"monolith": MONOLITH, "reviews": reviews}, table("reviews"), "Shop")
    assert whole["paths"]["/api/reviews/"]["get"]["operationId"] == "reviews.orders"


def test_what_the_owner_does_not_document_is_said():
    reviews = copy.deepcopy(REVIEWS)
    del reviews["paths"]["/api/p/{pk}/r/"]
    whole, problems = merged({"monolith": MONOLITH, "reviews": reviews, "else": REVIEWS}, table("reviews"), "Shop")
    assert "/api/p/{id}/r/" not in whole["paths"]
    assert problems == [
        'the document of "else" is of no upstream',
        '"/api/p/{id}/r/" is owned by "reviews", whose document lacks it; "monolith" has it',
    ]


def test_clients_see_the_paths_of_their_versions():
    versions = Versions(
        default="v2",
        known=(
            Version(name="v1", path="/api/reviews/", deprecated="2026-01-01", transform=Transform()),
            Version(name="v2", path="/api/orders/"),
            Version(name="v0", path="/api/orders/", gone=True),
        ),
    )
    policies = (Policy(path="/api/all/", versions=versions), Policy(path="/api/orders/", transform=Transform()))
    whole, _ = merged({"monolith": MONOLITH}, table(policies=policies), "Shop")
    assert set(whole["paths"]) == {
        "/api/all/v1/",
        "/api/all/v2/",
        "/api/all/",
        "/api/orders/",
        "/api/reviews/",
        "/api/p/{id}/r/",
    }
    old = whole["paths"]["/api/all/v1/"]["get"]
    assert (old["x-strangler-version"], old["deprecated"], old["x-strangler-transformed"]) == ("v1", True, True)
    assert old["operationId"] == "list.v1"
    assert whole["paths"]["/api/orders/"]["get"]["x-strangler-transformed"]


def test_a_servers_own_path_is_part_of_the_paths():
    given = document({"/x/": {"get": operation("x")}}, servers=[{"url": "https://shop/api/"}])
    assert list(checked(given, "a")["paths"]) == ["/api/x/"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "is none of version 3"),
        ({"openapi": "2.0"}, "is none of version 3"),
        ({"openapi": "3.0.1"}, 'has no "paths"'),
        (document({"x": {}}), 'that begin with "/"'),
        (document({"/x": []}), "a path that is no object"),
        (document({"/x": {}}, components={"schemas": []}), '"components" that are no objects'),
        (document({"/x": {"$ref": "file:///etc/passwd"}}), "outside of itself"),
        (document({"/x": {"$ref": "http://evil/"}}), "outside of itself"),
        (document({"/x": {"$ref": "#/nowhere"}}), "where nothing is"),
        (document({"/x": {"get": {"summary": "\ud800"}}}), "half a character"),
        (document({"/x": {"get": {"description": "x" * (1 << 20)}}}), "is longer than"),
    ],
)
def test_what_is_no_document_or_refers_elsewhere_is_refused_in_one_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        checked(given, "a")


def test_a_document_that_is_nested_without_end_is_refused():
    deep = {}
    for _ in range(150):
        deep = {"x": deep}
    with pytest.raises(ValueError, match="levels deep"):
        checked(document({"/x": deep}), "a")


def test_the_page_takes_nothing_of_a_document_for_html():
    evil = "<script>alert(1)</script>\"'"
    given = document(
        {f"/{evil}": {"get": operation(evil, {"properties": {evil: {"type": evil}}}, summary=evil, description=evil)}},
        info={"title": evil, "version": evil},
    )
    given["paths"][f"/{evil}"]["get"] |= {
        "x-strangler-owner": evil,
        "parameters": [{"name": evil, "description": evil}],
    }
    given["paths"][f"/{evil}"]["get"]["responses"][evil] = {"description": evil, "content": {evil: {}}}
    made = page(given)
    assert "<script" not in made
    assert made.count("&lt;script&gt;") > 8


def test_the_page_shows_operations_by_owner_and_survives_circles():
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    given = document({"/n/": {"get": operation("n", {"$ref": "#/components/schemas/Node"})}}, {"Node": node})
    whole, _ = merged({"monolith": given}, table(), "Shop")
    made = page(whole)
    assert '<a href="#monolith">monolith (1)</a>' in made
    assert "<code>/n/</code>" in made


RICH = document(
    {
        "/r/{id}/": {
            "get": {
                "responses": {
                    "404": {"description": "", "content": {"application/json": {"example": {"detail": "no"}}}},
                    "200": {
                        "description": "",
                        "content": {
                            "text/html": {"example": "<p>"},
                            "application/json": {"examples": {"a": {"value": 1}, "b": {"value": 2}}},
                        },
                    },
                }
            },
            "post": {"responses": {"201": {"description": "", "content": {"application/json": {"schema": REF}}}}},
            "delete": {"responses": {"204": {"description": ""}}},
        },
        "/r/ratings/": {"get": operation("ratings", {"type": "array", "items": REF})},
    },
    {
        "Review": {
            "type": "object",
            "properties": {
                "id": {"type": "integer", "minimum": 7},
                "title": {"type": "string", "example": "Crisp"},
                "status": {"enum": ["published", "flagged"]},
                "at": {"type": "string", "format": "date-time"},
                "code": {"type": "string", "maxLength": 2},
                "author": {"allOf": [{"properties": {"name": {"type": "string"}}}]},
                "parent": {"$ref": "#/components/schemas/Review"},
                "note": {"type": ["string", "null"]},
            },
        }
    },
)


def test_examples_go_before_what_schemas_say():
    _, get = operation_at(RICH, "GET", "/r/5/")
    assert example_of(RICH, get) == Example(status=200, kind="application/json", value=1)
    assert example_of(RICH, get, name="b").value == 2
    assert example_of(RICH, get, status="404") == Example(status=404, kind="application/json", value={"detail": "no"})
    assert example_of(RICH, get, status="500") is None
    _, post = operation_at(RICH, "POST", "/r/5/")
    made = example_of(RICH, post).value
    assert {**made, "parent": None} == {
        "id": 7,
        "title": "Crisp",
        "status": "published",
        "at": "2026-01-31T12:00:00Z",
        "code": "te",
        "author": {"name": "text"},
        "parent": None,
        "note": "text",
    }
    json.dumps(made)  # a circle ends
    _, delete = operation_at(RICH, "DELETE", "/r/5/")
    assert example_of(RICH, delete) == Example(status=204)


@pytest.mark.parametrize(
    ("method", "path", "template"),
    [
        ("GET", "/r/ratings/", "/r/ratings/"),
        ("GET", "/r/7/", "/r/{id}/"),
        ("HEAD", "/r/7/", "/r/{id}/"),
        ("GET", "/r/7", None),
        ("PUT", "/r/7/", None),
        ("POST", "/r/ratings/", "/r/{id}/"),
        ("GET", "/r//7/", None),
    ],
)
def test_a_path_has_its_most_literal_operation(method, path, template):
    found = operation_at(RICH, method, path)
    assert (found and found[0]) == template
