import pytest
from strangler_proxy.redacting import is_secret, shown


@pytest.mark.parametrize("name", ["token", "api_key", "sig", "signature", "email", "customer_email", "iban"])
def test_values_of_these_names_are_not_kept(name):
    assert is_secret(name)
    assert shown(f"/a/?{name}=ann&page=2") == f"/a/?{name}=REDACTED&page=2"


def test_the_rest_of_a_target_is_kept():
    assert shown("/a/?page=2&design=x") == "/a/?page=2&design=x"
    assert shown("/a/") == "/a/"
