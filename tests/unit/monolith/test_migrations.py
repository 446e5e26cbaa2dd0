import pytest
from django.core.management import call_command
from django.db import connection

_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
     WHERE contype = 'f' AND conrelid IN ('reviews_review'::regclass, 'reviews_vote'::regclass)
"""
WITHIN = {("reviews_vote", "reviews_review")}
OUTWARDS = {
    ("reviews_review", "catalog_product"),
    ("reviews_review", "accounts_user"),
    ("reviews_vote", "accounts_user"),
}
COLUMNS = {
    "reviews_review": "id bigint, reference uuid, product_id bigint, author_id bigint, rating smallint, "
    "title character varying(200), body text, status character varying(20), "
    "created_at timestamp with time zone, updated_at timestamp with time zone",
    "reviews_vote": "id bigint, reference uuid, review_id bigint, voter_id bigint, helpful boolean, "
    "created_at timestamp with time zone",
}


def foreign_keys():
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_KEYS)
        return set(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_cutting_foreign_keys_drops_the_outward_ones_and_undoing_restores_them(product):
    assert foreign_keys() == WITHIN
    try:
        call_command("migrate", "reviews", "0001", verbosity=0)
        assert foreign_keys() == WITHIN | OUTWARDS
    finally:
        call_command("migrate", "reviews", verbosity=0)
    assert foreign_keys() == WITHIN


def test_models_and_migrations_agree(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.parametrize("table", COLUMNS)
def test_moved_tables_have_the_columns_of_the_contract(db, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum), "
            "string_agg(attidentity::text, '') FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        assert cursor.fetchone() == (COLUMNS[table], "d")
