"""What a trace costs Orchard: CPU time of its process a request, beside the same request without one.

One process with Django's test client and an embedded PostgreSQL, whose own CPU no trace changes and nobody counts here.
Each page is asked for in turn without, with, and again without a trace, over and over: a busy machine is so for all of
them, and the two without say what its noise is. What listens is there in all; it costs 0.2 microseconds a statement.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_trace.py [--rounds 60]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from figures import line, median

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer

PLAIN, TRACED, AGAIN = "without a trace", "with it", "without, again"
QUERIES = 50
"""One row each, in a loop with nothing else around them: the worst that a request can be."""
ROOT = Path(__file__).parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = PostgresServer(data=folder / "data", port=free_port(), settings={"fsync": "off"})
        server.start()
        try:
            os.environ.update(_environment(server, folder))
            for command in (["migrate", "--verbosity", "0"], ["seed", "--size", "XS"]):
                subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True, capture_output=True)
            times = _times(given.rounds)
        finally:
            server.stop()
    _render(times)


def _environment(server, folder):
    return {
        "DJANGO_SETTINGS_MODULE": "monolith.settings",
        "ORCHARD_SECRET_KEY": "a benchmark's alone",
        "ORCHARD_LOG_LEVEL": "ERROR",
        "ORCHARD_DATABASE_URL": server.dsn(),
        "ORCHARD_REVIEWS_MOVED": "monolith.reviews.flags.never",
        "ORCHARD_REVIEWS_IDENTITY": "monolith.reviews.flags.no_identity",
        "STRANGLER_TRACE": str(folder / "trace"),
    }


def _times(rounds):
    """Microseconds of CPU by what is asked for and how."""
    import django

    django.setup()
    from django.db import connection

    from strangler.tracing.listening import started

    recorder = started()
    whole = recorder.options
    ways = {PLAIN: replace(whole, share=sys.float_info.min), TRACED: whole}
    ways[AGAIN] = ways[PLAIN]
    asked = _asked(recorder)
    times = {}
    for number in range(rounds + 3):
        for what, ask in asked.items():
            for way, options in ways.items():
                recorder.options = options
                began = time.process_time()
                ask()
                spent = time.process_time() - began
                if number >= 3:  # by then all is imported, compiled and planned
                    times.setdefault(what, {}).setdefault(way, []).append(spent * 1e6)
    connection.close()
    return times


def _asked(recorder):
    from django.test import Client

    from monolith.accounts.models import User
    from monolith.catalog.models import Product

    client, product = Client(), Product.objects.order_by("pk")[0]
    client.force_login(User.objects.filter(is_staff=False).order_by("pk")[0])

    def get(path):
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"bench_trace: {path} answered {answer.status_code}")

    def loop():
        with recorder.unit("task", "a loop of queries"):
            for _ in range(QUERIES):
                Product.objects.get(pk=product.pk)

    paths = (
        *("/", "/products/", f"/products/{product.slug}/", "/search/?q=oak", "/cart/", "/profile/", "/api/products/"),
        *(f"/api/products/{product.pk}/", f"/api/products/{product.pk}/reviews/", "/api/reviews/"),
    )
    asked = {path: lambda path=path: get(path) for path in paths}
    asked["POST /cart/"] = lambda: client.post(f"/products/{product.slug}/add/", {"quantity": 1})
    return asked | {f"{QUERIES} queries in a loop": loop}


def _render(times):
    pages = {what: by_way for what, by_way in times.items() if "loop" not in what}
    (loop,) = (by_way for what, by_way in times.items() if "loop" in what)
    for what, by_way in times.items():
        figures = {way: f"{median(own):,.0f}, {_decile(own):,.0f}" for way, own in by_way.items()}
        plain = f"without: {figures[PLAIN]}; {figures[AGAIN]}"
        line(what[:34], f"{figures[TRACED]} us of CPU, median and decile", plain, _ratio([by_way], TRACED, median))
    said = (
        f"{name} {_ratio(of, TRACED, median):.3f}, {_ratio(of, TRACED, _decile):.3f} "
        f"(noise {_ratio(of, AGAIN, median):.3f}, {_ratio(of, AGAIN, _decile):.3f})"
        for name, of in (("pages", pages.values()), ("a loop of queries", [loop]))
    )
    sys.stdout.write(f"trace: CPU to the same without, by medians and first deciles: {'; '.join(said)}\n")


def _ratio(several, way, of):
    """Of the sums over pages; to both without, or of the one of these to the other."""
    own = sum(of(by_way[way]) for by_way in several)
    plain, again = (sum(of(by_way[other]) for by_way in several) for other in (PLAIN, AGAIN))
    return own / plain if way == AGAIN else 2 * own / (plain + again)


def _decile(values):
    return sorted(values)[len(values) // 10]


if __name__ == "__main__":
    main()
