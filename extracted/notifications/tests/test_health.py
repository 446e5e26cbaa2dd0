import pytest
from django.core.management import call_command
from django.db import OperationalError, connection
from rest_framework.test import APIClient


def test_the_process_lives_without_a_database():
    assert APIClient().get("/health/").json() == {"status": "ok"}


@pytest.mark.django_db
def test_the_service_is_ready_when_its_database_is_migrated():
    assert APIClient().get("/health/ready/").status_code == 200


@pytest.mark.django_db
def test_a_database_that_is_behind_makes_it_unready():
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'notifications'")
    answer = APIClient().get("/health/ready/")
    assert (answer.status_code, "not applied" in answer.json()["reason"]) == (503, True)


@pytest.mark.django_db
def test_a_database_that_is_away_makes_it_unready():
    def away(*_):
        raise OperationalError("away")

    with connection.execute_wrapper(away):
        assert APIClient().get("/health/ready/").status_code == 503


def test_the_interface_is_described_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run")
