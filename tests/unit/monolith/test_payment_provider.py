import httpx
import pytest

from monolith.orders.payments import PaymentFailed, charge


def test_same_key_is_charged_once(provider):
    assert charge(key="a", amount="5.00") == charge(key="a", amount="5.00")
    assert len(provider.charges()) == 1


def test_another_amount_under_a_key_is_refused(provider):
    charge(key="a", amount="5.00")
    with pytest.raises(PaymentFailed):
        charge(key="a", amount="6.00")


def test_behaviour_is_set_from_outside(provider, settings):
    httpx.put(f"{settings.PAYMENT_URL}/behaviour", json={"failing": True}).raise_for_status()
    with pytest.raises(PaymentFailed):
        charge(key="a", amount="5.00")
    httpx.put(f"{settings.PAYMENT_URL}/behaviour", json={}).raise_for_status()
    assert charge(key="a", amount="5.00")


def test_body_that_is_not_understood_answers_400(provider, settings):
    assert httpx.post(f"{settings.PAYMENT_URL}/charges", content=b"[]").status_code == 400
