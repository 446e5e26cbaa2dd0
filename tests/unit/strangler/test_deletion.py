"""Deletions by the ORM while a table is here, fenced, and gone, and again after it came back."""

import pytest
from django.db import connection, models
from django.db.models.deletion import ProtectedError
from django.test.utils import isolate_apps

from strangler import deletion


@pytest.fixture
def shop(db):
    with isolate_apps("monolith.cart"):

        class Place(models.Model):
            class Meta:
                app_label = "cart"

        class Visit(models.Model):
            gone = models.ForeignKey(
                Place, on_delete=deletion.cascade, related_name="+", null=True, db_constraint=False
            )
            unknown = models.ForeignKey(
                Place, on_delete=deletion.set_null, related_name="+", null=True, db_constraint=False
            )
            usual = models.ForeignKey(
                Place, on_delete=deletion.set_default, related_name="+", default=1, db_constraint=False
            )
            kept = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="+", null=True, db_constraint=False)

            class Meta:
                app_label = "cart"

        with connection.schema_editor() as editor:
            editor.create_model(Place)
            editor.create_model(Visit)
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE FUNCTION refuse_all() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'fenced'; END $$; "
                "CREATE TRIGGER strangler_fence BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON cart_visit "
                "EXECUTE FUNCTION refuse_all()"
            )
        fence("DISABLE")
        yield Place, Visit


def fence(how):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE cart_visit {how} TRIGGER strangler_fence")


def places(place, count=4):
    return [place.objects.create(pk=number) for number in range(1, count + 1)]


def test_while_the_table_is_here_rows_follow_as_with_djangos_own(shop):
    place, visit = shop
    _, gone, unknown, usual = places(place)
    first = visit.objects.create(gone=gone)
    second = visit.objects.create(unknown=unknown, usual=usual)
    gone.delete()
    unknown.delete()
    usual.delete()
    assert not visit.objects.filter(pk=first.pk).exists()
    second.refresh_from_db()
    assert (second.unknown_id, second.usual_id) == (None, 1)


def test_once_it_is_fenced_its_rows_are_left_alone_and_the_deletion_goes_through(shop):
    place, visit = shop
    _, gone, unknown, usual = places(place)
    row = visit.objects.create(gone=gone, unknown=unknown, usual=usual)
    fence("ENABLE ALWAYS")
    for each in (gone, unknown, usual):
        each.delete()
    row.refresh_from_db()
    assert (row.gone_id, row.unknown_id, row.usual_id) == (2, 3, 4)
    assert deletion.elsewhere(visit)
    fence("DISABLE")
    assert not deletion.elsewhere(visit)


def test_once_it_is_dropped_nobody_looks_for_it(shop):
    place, visit = shop
    _, gone, *_ = places(place)
    visit._meta.get_field("kept").remote_field.on_delete = models.DO_NOTHING
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE cart_visit")
    gone.delete()
    assert place.objects.count() == 3


def test_what_protects_is_left_to_django(shop):
    place, visit = shop
    kept, *_ = places(place)
    visit.objects.create(kept=kept)
    with pytest.raises(ProtectedError):
        kept.delete()
    assert not hasattr(deletion, "protect")


def test_migrations_can_write_them_by_name():
    from django.db.migrations.writer import MigrationWriter

    assert MigrationWriter.serialize(deletion.set_null) == (
        "strangler.deletion.set_null",
        {"import strangler.deletion"},
    )
