"""A plan's whole life on engines other than PostgreSQL: forwards, backwards, forwards again, and for good."""

from __future__ import annotations

import subprocess

import pytest

from strangler.plans.lock import plan_lock
from strangler.plans.recorder import PlanRecorder
from strangler.split.store import Database

from .conftest import new_project

PAIRS = [("mariadb", "mariadb"), ("sqlite", "sqlite"), ("mariadb", "postgresql"), ("mysql", "mysql")]
BEGIN = """
    import io
    import threading
    import time
    from django.core.management import call_command
    from django.db import connection, connections, transaction
    from django.db.migrations.recorder import MigrationRecorder
    from django.http import HttpResponse
    from django.test import RequestFactory
    from shop.models import Product, Review, Vote
    from strangler import cleanups, deletion, flags, tables, task_routes
    from strangler.middleware import StranglerMiddleware
    from strangler.plans import wiring
    from strangler.plans.databases import Databases
    from strangler.plans.django_migrations import DjangoMigrations
    from strangler.refusal import MoveRefused

    def plan(*words):
        call_command("applyplan", "0001_reviews", *words, stdout=io.StringIO())

    def refused(write):
        try:
            with transaction.atomic():
                write()
        except MoveRefused as error:
            return [error.refusal.move, error.refusal.term]

    def use_reviews_for(seconds):
        begun = threading.Event()

        def read():
            with transaction.atomic():
                Review.objects.first()
                begun.set()
                time.sleep(seconds)
            connection.close()

        threading.Thread(target=read).start()
        begun.wait()

    def swallow(request):
        with transaction.atomic():
            Product.objects.create(name="half")
            try:
                with connection.cursor() as cursor:
                    cursor.execute("UPDATE shop_review SET body = 'swallowed'")
            except MoveRefused:
                pass
        return HttpResponse("all is well")
"""


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=map("-".join, PAIRS))
def test_a_plan_lives_from_its_first_run_to_its_last(request, tmp_path, source, target):
    with new_project(source, target, request, tmp_path) as project:
        while_somebody_runs_a_plan_a_second_executor_is_refused_and_changes_nothing(project)
        the_dry_run_prints_the_sql_of_the_engine_and_changes_nothing(project)
        forwards_the_service_owns_and_writes_of_the_monolith_are_refused_by_their_type(project)
        a_deletion_here_is_followed_by_a_note_and_leaves_the_moved_rows_alone(project)
        backwards_the_monolith_owns_again_with_what_was_written_at_the_service(project)
        forwards_again_and_for_good_the_tombstones_stay_fenced(project)
        archived_and_dropped_the_extraction_is_over_and_the_record_is_whole(project)


def rows(store):
    return [store.scalar(f"SELECT count(*) FROM shop_{name}") for name in ("product", "review", "vote")]


def while_somebody_runs_a_plan_a_second_executor_is_refused_and_changes_nothing(project):
    with plan_lock(Database(name="source", dsn=project.source_dsn), "0001_reviews"):
        run = project.command("applyplan", "0001_reviews")
        said = run.communicate()[1]
    assert run.returncode == 1
    assert said.startswith('CommandError: plan "0001_reviews" is already running elsewhere')
    assert len(said.strip().splitlines()) == 1
    assert not project.records.exists()


def the_dry_run_prints_the_sql_of_the_engine_and_changes_nothing(project):
    facts = project.act(
        BEGIN
        + """
    out = io.StringIO()
    call_command("sqlplan", "0001_reviews", stdout=out)
    facts["said"] = out.getvalue()
    """
    )
    for what in ("CREATE TRIGGER", "UPDATE shop_product SET price = price + 1", "-- copy shop_review"):
        assert what in facts["said"]
    assert "would be refused" not in facts["said"]
    with project.source() as source, project.target() as target:
        assert not any(store.has_tables(one) for store in (source, target) for one in ("ownership", "runs"))


def forwards_the_service_owns_and_writes_of_the_monolith_are_refused_by_their_type(project):
    facts = project.act(
        BEGIN
        + """
    plan()
    facts["create"] = refused(lambda: Review.objects.create(product_id=1, author="late"))
    facts["update"] = refused(lambda: Review.objects.update(body="late"))
    facts["delete"] = refused(lambda: Vote.objects.all().delete())
    facts["moved"] = [flags.moved("reviews"), flags.term_elsewhere("0001_reviews"), deletion.elsewhere(Review)]
    answer = StranglerMiddleware(swallow)(RequestFactory().post("/reviews/"))
    facts["answer"] = [answer.status_code, answer["Strangler-Refused"], Product.objects.filter(name="half").count()]
    facts["written"] = Product.objects.create(name="free").name
    facts["price"] = str(Product.objects.get(name="product 1").price)
    """
    )
    assert facts["create"] == facts["update"] == facts["delete"] == ["0001_reviews", 1]
    assert facts["moved"] == [True, 1, True]
    assert facts["answer"] == [503, "move=0001_reviews; term=1; replay=1", 0]
    assert (facts["written"], facts["price"]) == ("free", "2.00")
    with project.target() as target:
        assert rows(target) == [4, 40, 40]


def a_deletion_here_is_followed_by_a_note_and_leaves_the_moved_rows_alone(project):
    facts = project.act(
        BEGIN
        + """
    product = Product.objects.get(name="product 2")
    pk = str(product.pk)
    with transaction.atomic():
        Product.objects.get(name="free").delete()
        transaction.set_rollback(True)
    product.delete()
    (note,) = cleanups.owed("reviews")
    facts["note"] = [note.field, note.column, note.on_delete, note.key == pk]
    cleanups.settle(note)
    facts["key"] = int(note.key)
    with connection.cursor() as cursor:
        row = ["shop.work", "0001_reviews", "reviews", "old"]
        cursor.execute(f"INSERT INTO {tables.sql_name(connection, 'task_routes')} VALUES (%s, %s, %s, %s)", row)
    facts["route"] = task_routes.route("shop.work")
    facts["left"] = [len(cleanups.owed("reviews")), Review.objects.count()]
    """
    )
    assert facts["note"] == ["shop.Review.product", "product_id", "cascade", True]
    assert facts["left"] == [0, 40]
    assert facts["route"] == {"queue": "reviews"}
    # The service does what it owes; without it the key could not be put back.
    project.act(
        f"from served.models import Review\nReview.objects.filter(product_id={facts['key']}).delete()", served=True
    )


def backwards_the_monolith_owns_again_with_what_was_written_at_the_service(project):
    project.act(
        "from served.models import Review\nReview.objects.create(product_id=1, author='at the service')", served=True
    )
    facts = project.act(
        BEGIN
        + """
    plan("zero")
    facts["back"] = Review.objects.filter(author="at the service").count()
    facts["moved"] = [flags.moved("reviews"), deletion.elsewhere(Review)]
    facts["price"] = str(Product.objects.get(name="product 1").price)
    facts["made"] = Product.objects.filter(name="made by the plan").count()
    facts["rows"] = [Review.objects.count(), Vote.objects.count()]
    migrations, cut = DjangoMigrations(), ("shop", "0002_cut_foreign_keys")
    # As runs leave them that were killed between the change of the schema and the record of it.
    MigrationRecorder(connection).record_applied(*cut)
    migrations.unapply(*cut)
    use_reviews_for(1.2)
    migrations.apply(*cut)
    MigrationRecorder(connection).record_unapplied(*cut)
    migrations.apply(*cut)
    migrations.unapply(*cut)
    facts["next"] = Review.objects.create(product_id=1, author="here again").pk > 41
    try:
        with transaction.atomic():
            Review.objects.create(product_id=987, author="nowhere")
    except Exception as error:
        facts["key"] = type(error).__name__
    before = cleanups.owed("reviews")
    Product.objects.get(name="product 1").delete()
    facts["noted"] = cleanups.owed("reviews") != before
    """
    )
    assert (facts["back"], facts["rows"]) == (1, [28, 27])
    assert facts["moved"] == [False, False]
    assert (facts["price"], facts["made"], facts["next"], facts["noted"]) == ("1.00", 0, True, False)
    assert facts["key"] == "IntegrityError"
    with project.target() as target:
        assert rows(target) == [0, 0, 0]


def forwards_again_and_for_good_the_tombstones_stay_fenced(project):
    facts = project.act(
        BEGIN
        + """
    plan()
    plan("7", "--final", "--noinput")
    facts["refused"] = refused(lambda: Review.objects.create(product_id=1, author="late"))
    call_command("checkplans", stdout=io.StringIO())
    facts["unseen"] = list(Databases(alias="default").unseen())
    if connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("DROP USER IF EXISTS blind@'%'")
            cursor.execute("CREATE USER blind@'%' IDENTIFIED BY 'word'")
            cursor.execute("GRANT SELECT ON shop_review TO blind@'%'")
        connections.databases["blind"] = {**connection.settings_dict, "USER": "blind", "PASSWORD": "word"}
        facts["unseen"] += Databases(alias="blind").unseen()
    """
    )
    assert facts["refused"] == ["0001_reviews", 3]
    assert len(facts["unseen"]) == project.source_dsn.startswith("mysql")
    assert all('"blind" cannot see strangler_ownership and strangler_claims' in said for said in facts["unseen"])
    with project.source() as source:
        assert source.query("SELECT name FROM strangler.retirements ORDER BY name") == [
            ("shop_review",),
            ("shop_vote",),
        ]


def archived_and_dropped_the_extraction_is_over_and_the_record_is_whole(project):
    facts = project.act(
        BEGIN
        + """
    out = io.StringIO()
    call_command("sqlplan", "0001_reviews", "--final", stdout=out)
    facts["said"] = out.getvalue()
    plan("--final", "--noinput")
    Product.objects.filter(name="product 0").update(name="product zero")
    facts["moved"] = [flags.moved("reviews"), deletion.elsewhere(Review)]
    (move,) = wiring.moves()
    move.catch_up()
    call_command("checkplans", stdout=io.StringIO())
    out = io.StringIO()
    call_command("planstatus", "0001_reviews", stdout=out)
    facts["status"] = out.getvalue()
    """
    )
    assert "DROP TABLE shop_review, shop_vote;" in facts["said"]
    assert facts["moved"] == [True, True]
    assert "applied      9 of 9 operations" in facts["status"], facts["status"]
    assert "the extraction is over" in facts["status"]
    archive = project.records / "archive"
    for table in ("shop_review", "shop_vote"):
        checked = subprocess.check_output(["sha256sum", "-c", f"{table}.sha256"], cwd=archive, text=True)
        assert checked.count("OK") == 2
    with project.source() as source, project.target() as target:
        assert [source.exists(f"shop_{name}") for name in ("product", "review", "vote")] == [True, False, False]
        assert not source.query("SELECT 1 FROM strangler.changes WHERE name <> 'shop_product'")
        archived = [len((archive / f"shop_{name}.csv").read_text().splitlines()) - 1 for name in ("review", "vote")]
        assert archived == rows(target)[1:]
        assert min(archived) > 10
        # The copies are followed on.
        assert target.scalar("SELECT name FROM shop_product ORDER BY id LIMIT 1") == "product zero"
    recorder = PlanRecorder(project.records / "0001_reviews" / "record.jsonl", "0001_reviews")
    events = [entry.event for entry in recorder.entries()]
    assert (events.count("started"), events.count("done"), events.count("failed")) == (21, 21, 0)
