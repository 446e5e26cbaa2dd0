import pytest
from django.core.management import call_command
from django.db import connection

from monolith.accounts.models import User
from monolith.notifications.models import Mail, Preference

_FOREIGN_KEYS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint
     WHERE contype = 'f' AND conrelid IN ('reviews_review'::regclass, 'reviews_vote'::regclass)
"""
_TO_PEOPLE = """
    SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'notifications_notification'::regclass
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
    "notifications_notification": "id bigint, subject character varying(200), body text, read boolean, "
    "created_at timestamp with time zone, user_id bigint",
    "notifications_mail": "id bigint, recipient character varying(254), subject character varying(200), body text, "
    "created_at timestamp with time zone, next_try_at timestamp with time zone, attempts smallint, "
    "sent_at timestamp with time zone, error text, user_id bigint, state character varying(20), "
    "claimed_at timestamp with time zone, message_id character varying(200)",
}
KEYED_OTHERWISE = {
    "notifications_received": "event uuid, at timestamp with time zone",
    "notifications_preference": "user_id bigint, mail boolean",
    "notifications_suppression": "address character varying(254), reason character varying(20), "
    "at timestamp with time zone",
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


@pytest.mark.parametrize("table", [*COLUMNS, *KEYED_OTHERWISE])
def test_moved_tables_have_the_columns_of_the_contract(db, table):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum), "
            "string_agg(attidentity::text, '') FROM pg_attribute "
            "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        assert cursor.fetchone() == ((COLUMNS | KEYED_OTHERWISE)[table], "d" if table in COLUMNS else "")


@pytest.mark.django_db(transaction=True)
def test_preferences_and_states_come_out_of_what_was_there_and_go_back():
    ada, ben, cleo = (User.objects.create(username=name) for name in ("ada", "ben", "cleo"))
    try:
        call_command("migrate", "notifications", "0001", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute(_TO_PEOPLE)
            assert cursor.fetchone() == (1,)
            for name, preferences in (("ada", '{"mail": false, "theme": "dark"}'), ("ben", '{"mail": true}')):
                cursor.execute("UPDATE accounts_user SET preferences = %s WHERE username = %s", [preferences, name])
            for subject, attempts, sent in (("sent", 1, "now()"), ("dead", 8, "NULL"), ("due", 2, "NULL")):
                cursor.execute(
                    "INSERT INTO notifications_mail "
                    "(recipient, subject, body, created_at, next_try_at, attempts, sent_at, error) "
                    f"VALUES ('a@b.example', '{subject}', '', now(), now(), {attempts}, {sent}, '')"
                )
    finally:
        call_command("migrate", "notifications", verbosity=0)
    assert dict(Preference.objects.values_list("user_id", "mail")) == {ada.pk: False, ben.pk: True}
    assert dict(Mail.objects.values_list("subject", "state")) == {"sent": "sent", "dead": "failed", "due": "queued"}
    ada.refresh_from_db()
    assert ada.preferences == {"theme": "dark"}
    Preference.objects.create(user_id=cleo.pk, mail=False)
    try:
        call_command("migrate", "notifications", "0001", verbosity=0)
        kept = dict(User.objects.values_list("username", "preferences"))
        assert kept == {"ada": {"mail": False, "theme": "dark"}, "ben": {"mail": True}, "cleo": {"mail": False}}
    finally:
        call_command("migrate", "notifications", verbosity=0)
