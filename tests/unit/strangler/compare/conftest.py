"""Results as a comparison has them, made by hand."""

import random

import pytest

from strangler.compare.results import Observation, Results

ROUTES = ("light", "page")
BY_ROUTE = {"throughput": 100, "p50": 20, "p99": 60, "cpu": 8, "failed": 0, "lag": 0.2}
WHOLE = {"memory": 200, "idle": 3}


@pytest.fixture
def made():
    """made({"services": {"cpu": 2}}): so many times the monolith's figures, with a little noise."""
    return _results


def _results(arms=None, repetitions=10, **more):
    rng, observations = random.Random(11), []
    arms = arms or {"services": {}}
    for arm, times in {"monolith": {}, **arms}.items():
        for repetition in range(repetitions):
            for route in ("", *ROUTES):
                for measure, value in (BY_ROUTE if route else WHOLE).items():
                    factor = times.get((route, measure), times.get(measure, 1)) * rng.gauss(1, 0.02)
                    found = Observation(
                        arm=arm, route=route, measure=measure, repetition=repetition, value=value * factor
                    )
                    observations.append(found)
    return Results(
        about={
            "at": "2026-01-01T00:00:00+00:00",
            "minutes": 12.5,
            "seed": 1,
            "size": _size(repetitions),
            "shared": "every arm has the core 0",
            "machine": {"processor": "a <fast> one"},
        },
        arms=[{"name": name, "is": f"what {name} is"} for name in ("monolith", *arms)],
        routes=[{"name": name, "is": f"what {name} is.", "rate": 20, "most": {"monolith": 50}} for name in ROUTES],
        observations=observations,
        **more,
    )


def _size(repetitions):
    from dataclasses import replace

    from strangler.compare.sizes import FULL

    return replace(FULL, repetitions=repetitions).as_dict()
