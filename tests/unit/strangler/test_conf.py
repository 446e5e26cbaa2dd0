"""The project's settings of the toolkit."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from strangler.conf import configuration


def test_an_unknown_key_is_named(settings):
    settings.STRANGLER = {"PLAN": "typo"}
    with pytest.raises(ImproperlyConfigured, match='unknown key "PLAN"'):
        configuration()


def test_an_unknown_service_is_named_with_the_known_ones(settings):
    settings.STRANGLER = {"SERVICES": {"reviews": {"DSN": "postgresql:///x", "UPSTREAM": "http://127.0.0.1:1"}}}
    with pytest.raises(ImproperlyConfigured, match=r'no service "orders" \(known: reviews\)'):
        configuration().service("orders")


def test_a_project_without_settings_gets_the_defaults(settings, tmp_path, monkeypatch):
    del settings.STRANGLER
    monkeypatch.chdir(tmp_path)
    assert configuration().plans == configuration().records == tmp_path / "migration_plans"
