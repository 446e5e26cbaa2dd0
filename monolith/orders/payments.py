"""The payment provider's HTTP interface."""

import httpx
from django.conf import settings

TIMEOUT = httpx.Timeout(30.0, connect=2.0)


class PaymentFailed(Exception):
    """The provider declined, or did not answer."""


def charge(*, key, amount):
    """Charge `amount`; the same `key` again charges nothing more. Returns the provider's reference."""
    request = {"key": str(key), "amount": str(amount)}
    try:
        with httpx.Client(timeout=TIMEOUT, trust_env=False) as client:
            answer = client.post(f"{settings.PAYMENT_URL}/charges", json=request)
    except httpx.TransportError as error:
        raise PaymentFailed("The payment provider does not answer. You have not been charged twice.") from error
    if answer.status_code >= 400:
        raise PaymentFailed("The payment was declined.")
    return answer.json()["reference"]
