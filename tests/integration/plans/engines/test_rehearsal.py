"""What a request at the monolith changes is collected for the proxy, and nothing of the request is changed by it."""

import json

import pytest

from .conftest import new_project
from .test_life import BEGIN

BROUGHT = "5"
"""Operations, up to the rows that are brought and followed."""
ASK = """
    from strangler.conf import configuration
    from strangler_proxy.effects import token_for

    def ask(view, move="0001_reviews", secret=None):
        shown = token_for(secret or configuration().proxy_token, "monolith")
        request = RequestFactory().post("/", headers={"Strangler-Effects": move, "Strangler-Rehearsal-Token": shown})
        answer = StranglerMiddleware(lambda request: (view(), HttpResponse("done"))[1])(request)
        return [answer.content.decode(), answer.get("Strangler-Effects")]
    """


@pytest.fixture(scope="module")
def project(request, tmp_path_factory):
    with new_project("postgresql", "postgresql", request, tmp_path_factory.mktemp("project")) as project:
        project.act(BEGIN + f"    plan({BROUGHT!r})")
        yield project


def test_the_rows_of_each_commit_are_told_as_they_are_last(project):
    facts = project.act(
        BEGIN
        + ASK
        + """
    def view():
        with transaction.atomic():
            made = Review.objects.create(product_id=1, author="made", body="first")
            with transaction.atomic():
                Review.objects.filter(author="author 1").update(body="in a savepoint")
        with transaction.atomic():
            Review.objects.filter(pk=made.pk).update(body="last")
            Vote.objects.filter(review__author="author 2").delete()
            Product.objects.create(name="none of the move's")

    facts["answer"], facts["told"] = ask(view)
    facts["keys"] = [Review.objects.get(author=name).pk for name in ("made", "author 1")]
    facts["left"] = [hasattr(connection, "commit"), "commit" in vars(connections["default"])]
    """
    )
    told = json.loads(facts["told"])
    rows = {(row["table"], row["key"][0]): row["row"] for row in told["rows"]}
    made, changed = facts["keys"]
    assert rows["shop_review", made]["body"] == "last"
    assert rows["shop_review", changed]["body"] == "in a savepoint"
    assert [row["row"] for row in told["rows"] if row["table"] == "shop_vote"] == [None]
    assert len(rows) == 3
    assert (told["unsaid"], facts["answer"], facts["left"]) == (False, "done", [True, False])
    assert next(row["generated"] for row in told["rows"] if row["key"] == [made]) == ["id"]


def test_what_is_rolled_back_is_not_told_and_what_no_transaction_holds_cannot_be(project):
    facts = project.act(
        BEGIN
        + ASK
        + """
    def rolled_back():
        with transaction.atomic():
            Review.objects.update(body="x")
            transaction.set_rollback(True)

    def rest():
        Review.objects.update(body="for all")

    facts["rolled back"] = ask(rolled_back)[1]
    facts["outside"] = ask(lambda: Review.objects.filter(author="author 3").update(body="x"))[1]
    facts["many"] = ask(lambda: transaction.atomic()(lambda: (Vote.objects.update(helpful=True), rest()))())[1]
    facts["read"] = ask(lambda: Review.objects.count())[1]
    """
    )
    told = {name: json.loads(text) for name, text in facts.items()}
    assert (told["rolled back"]["rows"], told["rolled back"]["unsaid"]) == ([], False)
    assert told["outside"]["unsaid"]
    assert (told["many"]["rows"], told["many"]["unsaid"]) == ([], True)
    assert (told["read"]["rows"], told["read"]["unsaid"]) == ([], False)


def test_nobody_but_the_proxy_is_told_and_nothing_of_a_move_that_is_not_there(project):
    facts = project.act(
        BEGIN
        + ASK
        + """
    write = lambda: transaction.atomic()(lambda: Review.objects.filter(author="author 4").update(body="z"))()
    facts["wrong"] = ask(write, secret="other")
    facts["strange"] = ask(write, move="0009_none")
    """
    )
    assert facts["wrong"] == facts["strange"] == ["done", None]


def test_where_effects_cannot_be_read_the_write_is_done_all_the_same(project):
    facts = project.act(
        BEGIN
        + ASK
        + """
    def admin(statement):
        with wiring._databases("reviews").connect("monolith") as store:
            store.run([statement])

    admin("ALTER FUNCTION strangler.effects(text, bigint, integer) RENAME TO gone")
    write = lambda: transaction.atomic()(lambda: Review.objects.filter(author="author 5").update(body="done"))()
    facts["told"] = ask(write)[1]
    admin("ALTER FUNCTION strangler.gone(text, bigint, integer) RENAME TO effects")
    facts["body"] = Review.objects.get(author="author 5").body
    """
    )
    assert (json.loads(facts["told"])["unsaid"], facts["body"]) == (True, "done")
