"""`pytest --strangler-trace FOLDER` records what each test does, and each request that it makes of the project."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from strangler.tracing.recorder import Recorder

_MIDDLEWARE = "strangler.tracing.middleware.trace"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("strangler").addoption(
        "--strangler-trace", metavar="FOLDER", help="record what tests do across apps, for `strangler trace FOLDER`"
    )


@pytest.hookimpl(trylast=True)  # once Django is set up
def pytest_configure(config: pytest.Config) -> None:
    folder = config.getoption("--strangler-trace")
    if not folder:
        return
    # Here, since every run of pytest loads this file, of projects without Django as well.
    from django.apps import apps  # noqa: PLC0415
    from django.conf import settings  # noqa: PLC0415

    if not apps.ready:
        raise pytest.UsageError("--strangler-trace needs Django to be set up: install pytest-django, name its settings")
    from strangler.tracing.listening import start  # noqa: PLC0415
    from strangler.tracing.options import Options  # noqa: PLC0415

    if _MIDDLEWARE not in settings.MIDDLEWARE:
        settings.MIDDLEWARE = [_MIDDLEWARE, *settings.MIDDLEWARE]
    config.pluginmanager.register(_Tracing(start(Options(folder=Path(folder).resolve()))))


class _Tracing:
    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        # Without what stands in brackets: parameters are values.
        with self._recorder.unit("test", item.nodeid.partition("[")[0]):
            return (yield)

    def pytest_sessionfinish(self) -> None:
        self._recorder.flush()
