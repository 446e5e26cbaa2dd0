"""A WSGI application that keeps one route waiting, which must be found. `COMPARE_DELAY=/api/reviews/=10` (ms).

gunicorn strangler.compare.delayed:application
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.core.wsgi import get_wsgi_application

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def delaying(inner: Application, prefix: str, seconds: float) -> Application:
    """The application, which waits first where the path is below the prefix, and not the prefix itself."""

    def outer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(prefix) and path != prefix:
            time.sleep(seconds)
        return inner(environ, start_response)

    return outer


def __getattr__(name: str) -> Application:
    # Made when a server asks for it: a test has no project's settings to make one of.
    if name != "application":
        raise AttributeError(name)
    prefix, _, milliseconds = os.environ["COMPARE_DELAY"].rpartition("=")
    return delaying(get_wsgi_application(), prefix, float(milliseconds) / 1000)
