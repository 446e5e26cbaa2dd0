"""What a trace costs Orchard: CPU time of its own process a request, beside the same without one.

Each arm is a process of its own with Django's test client and one connection to an embedded PostgreSQL; rounds are
interleaved in a drawn order, and each arm's is compared with the one of the same round without a trace. That is there
twice: its ratio to itself is the noise. The server's CPU time, which no trace changes, is not counted.

    PYTHONPATH=.:proxy .venv/bin/python tests/benchmarks/bench_trace.py [--rounds 30] [--passes 4]
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from figures import line, median

from strangler.deploy.ports import free_port
from strangler.deploy.postgres import PostgresServer

PLAIN, EVERY = "without a trace", "every request (the default)"
ARMS = {PLAIN: 0.0, "without, again": 0.0, EVERY: 1.0, "a tenth of them": 0.1}
QUERIES = 300
"""In a loop, with nothing else around them: the worst that a request can be."""
ROOT = Path(__file__).parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--passes", type=int, default=4, help="over all pages in a round")
    parser.add_argument("--arm", type=float, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.arm is not None:
        serve(given.arm)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = PostgresServer(data=folder / "data", port=free_port(), settings={"fsync": "off"})
        server.start()
        try:
            environment = _environment(server, folder)
            for command in (["migrate", "--verbosity", "0"], ["seed", "--size", "XS"]):
                subprocess.run(
                    [sys.executable, "manage.py", *command], env=environment, cwd=ROOT, check=True, capture_output=True
                )
            times = _times(environment, given.rounds, given.passes)
        finally:
            server.stop()
        size = sum(file.stat().st_size for file in folder.glob("trace*/*.jsonl"))
    _render(times, size)


def serve(share):
    """One arm: a round for each line on standard input, answered with microseconds of CPU a request and a query."""
    import django
    from django.conf import settings

    settings.STRANGLER["TRACE"] = {"FOLDER": os.environ["BENCH_TRACE"], "SHARE": share} if share else {}
    django.setup()
    from django.test import Client

    from monolith.accounts.models import User
    from monolith.catalog.models import Product
    from strangler.tracing.listening import started

    recorder = started()
    client = Client()
    client.force_login(User.objects.filter(is_staff=False).order_by("pk")[0])
    products = list(Product.objects.order_by("pk")[:5])
    for asked in sys.stdin:
        requests, began = 0, time.process_time()
        for _ in range(int(asked)):
            for product in products:
                requests += _visit(client, product)
        pages = (time.process_time() - began) / requests
        began = time.process_time()
        with recorder.unit("task", "many") if recorder is not None else nullcontext():
            for _ in range(QUERIES):
                Product.objects.get(pk=products[0].pk)
        queries = (time.process_time() - began) / QUERIES
        sys.stdout.write(f"{pages * 1e6} {queries * 1e6}\n")
        sys.stdout.flush()


def _visit(client, product):
    pages = (
        *("/", "/products/", f"/products/{product.slug}/", "/search/?q=oak", "/cart/", "/profile/"),
        *("/api/products/", f"/api/products/{product.pk}/", f"/api/products/{product.pk}/reviews/", "/api/reviews/"),
    )
    answers = [client.get(page) for page in pages]
    answers.append(client.post(f"/products/{product.slug}/add/", {"quantity": 1}))
    bad = [answer for answer in answers if answer.status_code >= 400]
    if bad:
        raise SystemExit(f"bench_trace: {bad[0].request['PATH_INFO']} answered {bad[0].status_code}")
    return len(answers)


def _environment(server, folder):
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "monolith.settings",
        "ORCHARD_DEBUG": "",
        "ORCHARD_SECRET_KEY": "a benchmark's alone",
        "ORCHARD_LOG_LEVEL": "ERROR",
        "ORCHARD_DATABASE_URL": server.dsn(),
        "ORCHARD_REVIEWS_MOVED": "monolith.reviews.flags.never",
        "ORCHARD_REVIEWS_IDENTITY": "monolith.reviews.flags.no_identity",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proxy'}",
        "BENCH_TRACE": str(folder / "trace"),
    }


def _times(environment, rounds, passes):
    arms = {
        name: subprocess.Popen(
            [sys.executable, __file__, "--arm", str(share)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name, share in ARMS.items()
    }
    try:
        for arm in arms.values():
            _round(arm, 1)  # imports, templates, plans
        times = {name: [] for name in arms}
        for _ in range(rounds):
            for name in random.sample(list(arms), len(arms)):
                times[name].append(_round(arms[name], passes))
        return times
    finally:
        for arm in arms.values():
            arm.stdin.close()
            arm.wait(30)


def _round(arm, passes):
    arm.stdin.write(f"{passes}\n")
    arm.stdin.flush()
    answer = arm.stdout.readline()
    if not answer:
        raise SystemExit("bench_trace: an arm has ended; its error stands above")
    return tuple(map(float, answer.split()))


def _render(times, size):
    ratios, best = {}, {}
    for number, what in enumerate(("request", "query")):
        plain = [both[number] for both in times[PLAIN]]
        for name, rounds in times.items():
            own = [both[number] for both in rounds]
            ratios[what, name] = median([a / b for a, b in zip(own, plain, strict=True)])
            figures = f"{median(own):,.0f} us of CPU a {what}, in its best round {min(own):,.0f}"
            line(f"{name}, a {what}", figures, f"without: {median(plain):,.0f}, {min(plain):,.0f}", ratios[what, name])
            best[what, name] = min(own) / min(plain)
    requests = (f"{name} {ratios['request', name]:.3f}, {best['request', name]:.3f}" for name in list(ARMS)[1:])
    query = f"{ratios['query', EVERY]:.3f}, {best['query', EVERY]:.3f}"
    sys.stdout.write(
        f"trace: CPU a request, to the same without, median and best rounds: {'; '.join(requests)}; "
        f"a query in a loop {query}; files {size / 1024:,.0f} KiB\n"
    )


if __name__ == "__main__":
    main()
