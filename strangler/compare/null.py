"""Does it find what is there, and nothing else? The monolith against itself, and against itself delayed. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from strangler.compare.judging import figures
from strangler.compare.results import Results

DELAYED_ROUTE = "light"
_SEEN_IN = "p50"


def mistakes(results: Results) -> Iterator[str]:
    """A sentence for each thing that it found and that is not there, or did not find though it is.

    The first arm is the monolith, "again" is the same once more, "delayed" keeps one route waiting. What else the delay
    may change (its route's other latencies, rates at which they are within the bound) is neither asked for nor held
    against it.
    """
    reference = results.arms[0]["name"]
    for route in ("", *(route["name"] for route in results.routes)):
        for row in figures(results, route, reference):
            for figure in row:
                what = f'"{figure.measure.name}" of route "{route}"' if route else f'"{figure.measure.name}"'
                delayed = figure.arm == "delayed" and route == DELAYED_ROUTE
                if figure.verdict is not None and figure.better is not None and not delayed:
                    yield f"{figure.arm}: {what} is called {figure.words}, and is the same"
                if delayed and figure.measure.name == _SEEN_IN and figure.better is not False:
                    yield f"{figure.arm}: {what} is not called worse, and has 10 ms more: {figure.words}"
