import pytest

from monolith import env


def test_database_url_is_taken_apart():
    database = env.database("postgresql://shop:p%40ss@127.0.0.1:5433/orchard?sslmode=require")
    assert (database["USER"], database["PASSWORD"], database["PORT"], database["NAME"]) == (
        "shop", "p@ss", "5433", "orchard",
    )  # fmt: skip
    assert database["OPTIONS"] == {"sslmode": "require"}


@pytest.mark.parametrize("wrong", ["", "orchard", "mysql://127.0.0.1/orchard", "postgresql://127.0.0.1:5432/"])
def test_other_database_urls_are_refused_with_the_expected_form(wrong):
    with pytest.raises(ValueError, match="ORCHARD_DATABASE_URL must look like"):
        env.database(wrong)


def test_words_come_without_blanks(monkeypatch):
    monkeypatch.setenv("ORCHARD_ALLOWED_HOSTS", " shop.example, ,127.0.0.1")
    assert env.words("ORCHARD_ALLOWED_HOSTS") == ["shop.example", "127.0.0.1"]
