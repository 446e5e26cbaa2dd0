"""What transformations make of headers, paths, queries and JSON; the step itself on visits without sockets."""

import asyncio
import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strangler_proxy.answers import Answer
from strangler_proxy.gateway import Body, Fields, Gateway, Message, Policy, Transform
from strangler_proxy.gateway.policies import Effective
from strangler_proxy.steps.reshaping import reshaped
from strangler_proxy.steps.transforming import Transforming, changed_fields, changed_path, changed_query
from strangler_proxy.steps.visit import Visit

JSON = (b"Content-Type", b"application/json")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "results"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("body", "value", "expected"),
    [
        (Body(move={"name": "title"}), {"name": 1, "x": 2}, {"title": 1, "x": 2}),
        (Body(move={"author.id": "author_id"}), {"author": {"id": 3}}, {"author": {}, "author_id": 3}),
        (Body(move={"author_id": "author.id"}), {"author_id": 3}, {"author": {"id": 3}}),
        (Body(move={"r[].a": "r[].b.c"}), {"r": [{"a": 1}, {}, 7]}, {"r": [{"b": {"c": 1}}, {}, 7]}),
        (
            Body(move={"r[].s[].a": "r[].s[].b"}),
            {"r": [{"s": [{"a": 1}]}, {"s": 2}]},
            {"r": [{"s": [{"b": 1}]}, {"s": 2}]},
        ),
        (Body(move={"[].product": "[].id"}), [{"product": 1}, {"product": 2}], [{"id": 1}, {"id": 2}]),
        (Body(move={"a": "b", "b": "c"}), {"a": 1}, {"c": 1}),
        (Body(remove=("a.b", "r[].x")), {"a": {"b": 1, "c": 2}, "r": [{"x": 1}]}, {"a": {"c": 2}, "r": [{}]}),
        (Body(default={"kind": "old", "a.b": []}), {"kind": "new"}, {"kind": "new", "a": {"b": []}}),
        (Body(set={"r[].v": 1}), {"r": [{"v": 0}, {}]}, {"r": [{"v": 1}, {"v": 1}]}),
        (Body(set={"a.b": 1}), {"a": "text"}, {"a": "text"}),
        (Body(set={"a": 1}, remove=("b",), move={"c": "d"}), "no object", "no object"),
    ],
)
def test_json_is_reshaped_by_its_places(body, value, expected):
    assert reshaped(value, body) == expected


@given(VALUES)
def test_a_move_and_its_opposite_leave_a_value_as_it_was_where_nothing_was_at_the_new_place(value):
    there, back = Body(move={"results[].a": "results[].z"}), Body(move={"results[].z": "results[].a"})
    assert reshaped(reshaped(copy.deepcopy(value), there), back) == value


def test_a_default_is_nobodys_but_the_one_it_was_given_to():
    body = Body(set={"[].tags": []})
    first, second = reshaped([{}, {}], body)
    first["tags"].append(1)
    assert (second, body.set) == ({"tags": []}, {"[].tags": []})


def test_header_fields_are_removed_renamed_set_and_added():
    fields = ((b"A", b"1"), (b"a", b"2"), (b"B", b"3"), (b"C", b"4"), (b"D", b"5"))
    changes = Fields(remove=("c",), rename={"A": "X", "nothing": "D"}, set={"b": "9"}, add={"X": "8"})
    assert changed_fields(fields, changes) == ((b"X", b"1"), (b"X", b"2"), (b"b", b"9"), (b"X", b"8"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "v=2"),
        ("a=1&drop=1&b=%20x", "z=1&b=%20x&v=2"),
        ("%61=1&v=1&v=3&c", "z=1&c&v=2"),
        ("z=5", "v=2"),
    ],
)
def test_what_a_change_of_a_query_does_not_name_stays_as_it_was_sent(query, expected):
    assert changed_query(query, Fields(remove=("drop",), rename={"a": "z"}, set={"v": "2"})) == expected


@pytest.mark.parametrize(
    ("path", "pattern", "new", "expected"),
    [
        ("/api/products/7/comments/", "/api/products/<pk>/comments/", "/api/<pk>/reviews/", "/api/7/reviews/"),
        ("/api/products/7/comments", "/api/products/<pk>/comments/", "/api/<pk>/reviews/", "/api/7/reviews"),
        ("/old/a%20b/x/y", "/old/<n>/", "/new/<n>/of/<n>/", "/new/a%20b/of/a%20b/x/y"),
        ("/old/", "/old/", "/", "/"),
        ("/old/x/", "/old/", "/", "/x/"),
        ("/x/", "/", "/base/", "/base/x/"),
        ("/", "/", "/base/", "/base/"),
    ],
)
def test_a_path_keeps_what_was_sent_for_placeholders_and_after_the_pattern(path, pattern, new, expected):
    assert changed_path(path, pattern, new) == expected


def visit(transform, *, fields=(), body=b"", version=None, target="/api/old/7/?page=2"):
    policy = Effective(path="/api/old/<pk>/", transform=transform, stated={"transform": "/api/old/<pk>/"})
    return Visit(
        policy=policy,
        method="POST",
        target=target,
        fields=fields,
        body=body,
        address="",
        client_key="",
        cookies=[],
        authorization=None,
        routing=None,
        version_transform=version,
    )


def entered(given):
    return asyncio.run(Transforming().enter(given))


def left(given, answer):
    return asyncio.run(Transforming().leave(given, answer))


FULL = Transform(
    path="/api/new/<pk>/",
    query=Fields(rename={"page": "p"}),
    request=Message(headers=Fields(set={"X-Shape": "new"}), json=Body(move={"stars": "rating"})),
    response=Message(headers=Fields(remove=("X-Inner",)), json=Body(move={"rating": "stars"})),
)


def test_an_old_client_talks_to_a_new_shape():
    asked = visit(FULL, fields=(JSON, (b"Accept-Encoding", b"gzip")), body=b'{"stars": 5}')
    assert entered(asked) is None
    assert (asked.target, asked.body) == ("/api/new/7/?p=2", b'{"rating":5}')
    assert dict(asked.fields) == {**dict([JSON]), b"X-Shape": b"new", b"Accept-Encoding": b"identity"}
    assert asked.keep_json
    answer = Answer(
        status=201, fields=(JSON, (b"X-Inner", b"1"), (b"Digest", b"x")), body='{"rating": 5, "a": "ü"}'.encode()
    )
    assert left(asked, answer) == Answer(status=201, fields=(JSON,), body='{"a":"ü","stars":5}'.encode())


def test_half_a_character_stays_escaped():
    asked = visit(FULL, fields=(JSON,), body=b'{"stars": "\\ud800"}')
    assert entered(asked) is None
    assert asked.body == b'{"rating":"\\ud800"}'


def test_a_versions_changes_are_the_clients_and_the_policys_the_servers():
    version = Transform(request=Message(json=Body(move={"a": "b"})), response=Message(json=Body(move={"b": "a"})))
    policy = Transform(request=Message(json=Body(move={"b": "c"})), response=Message(json=Body(move={"c": "b"})))
    asked = visit(policy, version=version, fields=(JSON,), body=b'{"a": 1}')
    entered(asked)
    assert asked.body == b'{"c":1}'
    assert left(asked, Answer(status=200, fields=(JSON,), body=b'{"c":1}')).body == b'{"a":1}'


@pytest.mark.parametrize(
    ("fields", "body", "status"),
    [
        ((JSON,), b'{"stars":', 400),
        ((JSON,), b'{"stars": NaN}', 400),
        ((JSON,), b"[" * 100_000, 400),
        ((JSON,), b"\xff", 400),
        ((JSON, (b"Content-Encoding", b"gzip")), b"x", 415),
        ((JSON, (b"Content-Length", b"9999999")), None, 413),
        ((JSON, (b"Transfer-Encoding", b"chunked")), None, 411),
    ],
)
def test_a_body_that_has_to_be_changed_and_cannot_goes_nowhere(fields, body, status):
    assert entered(visit(FULL, fields=fields, body=body)).status == status


@pytest.mark.parametrize("body", [b'{"stars": 1}', None])
def test_a_body_that_is_not_json_passes_as_it_is(body):
    asked = visit(FULL, fields=((b"Content-Type", b"text/plain"),), body=body)
    assert entered(asked) is None
    assert asked.body is body


def test_an_answer_that_cannot_be_changed_is_not_passed_on_in_the_wrong_shape():
    gzipped = Answer(status=200, fields=(JSON, (b"Content-Encoding", b"gzip")), body=b"...")
    assert left(visit(FULL), gzipped).status == 502
    assert left(visit(FULL), Answer(status=200, fields=(JSON,), body=b"{")).status == 502


def test_refusals_and_other_kinds_of_answers_keep_their_bodies():
    for answer in (
        Answer(status=400, fields=(JSON,), body=b'{"rating": ["bad"]}'),
        Answer(status=200, fields=((b"Content-Type", b"text/html"),), body=b"{}"),
        Answer(status=204, fields=()),
    ):
        assert left(visit(FULL), answer) == answer


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"path": "new"}, "must begin and end"),
        ({"path": "/new/<other>/"}, "it has no <other>"),
        ({"request": {"headers": {"set": {"Host": "x"}}}}, 'changes the header "Host"'),
        ({"request": {"headers": {"set": {"Strangler_Identity": "x"}}}}, "is the proxy's to write"),
        ({"response": {"headers": {"remove": ["X-Forwarded-For"]}}}, "is the proxy's to write"),
        ({"response": {"headers": {"set": {"X": "a\r\nSet-Cookie: b"}}}}, "printable ASCII"),
        ({"response": {"headers": {"set": {"X y": "a"}}}}, "cannot be the name"),
        ({"response": {"json": {"move": {"a": "b[].c"}}}}, "not in the same item"),
        ({"response": {"json": {"remove": ["a[]"]}}}, "name what is in the items"),
        ({"response": {"json": {"remove": ["a..b"]}}}, "is no place"),
        ({"response": {"json": {"eval": "1"}}}, 'unknown part "eval"'),
    ],
)
def test_a_bad_transformation_is_refused_in_one_sentence(given, message):
    with pytest.raises(ValueError, match=message):
        Gateway.from_json({"policies": [{"path": "/old/<pk>/", "transform": given}]})


def test_a_closer_policy_may_call_its_placeholders_otherwise():
    made = Gateway(
        policies=(Policy(path="/old/<pk>/", transform=FULL), Policy(path="/old/<id>/x/", without=("cache",)))
    )
    assert made.policy("GET", "/old/7/x/").stated == {"transform": "/old/<pk>/"}


def test_a_transformation_survives_its_json():
    made = Gateway(policies=(Policy(path="/api/old/<pk>/", transform=FULL),))
    assert Gateway.from_json(json.loads(json.dumps(made.to_json()))) == made


PLACES = st.sampled_from(
    ["a", "b", "a.b", "results[].a", "results[].b.a", "[].a", "a.results[].b", "results[].results[].a"]
)


@given(VALUES, st.lists(PLACES, max_size=3), st.dictionaries(PLACES, VALUES, max_size=2), st.data())
def test_whatever_stands_in_a_body_its_changes_make_json_of_it(value, removed, put, data):
    old, new = data.draw(PLACES), data.draw(PLACES)
    lists = [place[: place.rfind("[]") + 2] if "[]" in place else "" for place in (old, new)]
    move = {old: new} if lists[0] == lists[1] else {}
    made = reshaped(value, Body(remove=tuple(removed), move=move, default=put, set=put))
    json.dumps(made)
    # What is put is there wherever there is an object for it.
    if isinstance(made, dict) and "a" in put:
        assert made["a"] == put["a"] or any(place.startswith("a.") for place in (*removed, *put, new))
