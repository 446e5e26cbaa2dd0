"""A process of Orchard that is traced: `python shopping.py visit SECRET`, or `python shopping.py die SECRET`.

Whatever a person could write has SECRET in it. Nothing of that may be in the trace.
"""

import os
import signal
import sys
import threading
from uuid import uuid4

import django
from django.core.management import call_command

PRODUCTS = 6


def visit(secret):
    """Buy, review, read; and let tasks run where they are handed over."""
    from django.db import connection
    from django.test import Client

    from monolith.accounts.models import User
    from monolith.catalog.models import Category, Product
    from monolith.celery import app
    from monolith.fakes import payment_provider
    from monolith.orders.models import Stock
    from monolith.reviews.models import Review
    from monolith.reviews.tasks import reconcile_ratings
    from strangler.tracing.listening import started

    app.conf.task_always_eager = True
    person = User.objects.create(username=secret, email=f"{secret}@orchard.example", display_name=secret)
    category = Category.objects.create(name=secret, slug=secret.lower())
    for number in range(PRODUCTS):
        product = Product.objects.create(
            name=f"{secret} {number}",
            slug=f"{secret.lower()}-{number}",
            price="9",
            category=category,
            description=secret,
        )
        Stock.objects.create(product=product, on_hand=9)
        Review.objects.create(product=product, author=person, rating=4, title=secret, body=secret)
    client = Client(headers={"User-Agent": secret, "X-Secret": secret})
    client.force_login(person)
    listening = payment_provider.server(0)
    threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
    django.conf.settings.PAYMENT_URL = f"http://127.0.0.1:{listening.server_port}"
    form = {"rating": "4", "title": secret, "body": f"buy now {secret}", "reference": str(uuid4())}
    Review.objects.filter(product=product).delete()
    answers = [
        client.get("/profile/", {"q": secret}),
        client.post(f"/products/{product.slug}/add/"),
        client.post("/checkout/", {"number": str(uuid4()), "address": secret}),
        client.post(f"/products/{product.slug}/review/", form),
        client.get(f"/products/{product.slug}/"),
        client.get(f"/search/?q={secret}"),
        client.generic("ROSEBUD", f"/nowhere/{secret}"),
    ]
    assert [answer.status_code for answer in answers] == [200, 302, 302, 302, 200, 200, 404], answers
    reconcile_ratings.delay()
    with started().unit("task", "statements"), connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM accounts_user WHERE username = '{secret}' /* {secret} */")
        cursor.execute(f"SELECT $${secret}$$, E'\\'{secret}' -- {secret}")
        cursor.execute(f"SELECT set_config('app.{secret}', %s, false)", [secret])
    listening.shutdown()


def die(secret):
    """Be killed after what has been written, and what has not."""
    from django.test import Client

    from strangler.tracing.listening import started

    client = Client()
    client.get("/products/")
    started().flush()
    client.get("/search/?q=x")
    os.kill(os.getpid(), signal.SIGKILL)


def empty(_):
    """Leave the database as a test expects it."""
    call_command("flush", interactive=False, verbosity=0)


if __name__ == "__main__":
    django.setup()
    {"visit": visit, "die": die, "empty": empty}[sys.argv[1]](sys.argv[2])
