"""Whether spans are wanted: what the standard's own variables say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strangler_proxy.tracing import Tracing

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SENT = "http/protobuf"


def tracing(environment: Mapping[str, str]) -> Tracing | None:
    """None where nothing is configured, and nothing of OpenTelemetry is loaded then.

    Raises ValueError naming the variable.
    """
    if not any(environment.get(name) for name in _ENDPOINTS):
        return None
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    if (exporter := environment.get("OTEL_TRACES_EXPORTER", "otlp")) == "none":
        return None
    if exporter != "otlp":
        raise ValueError(f'OTEL_TRACES_EXPORTER is "{exporter}"; this proxy knows otlp and none')
    for name in _PROTOCOLS:
        if environment.get(name, _SENT) != _SENT:
            raise ValueError(f'{name} is "{environment[name]}"; this proxy sends {_SENT}')
    from strangler_proxy.tracing import Tracing  # noqa: PLC0415 - half a second, for those who want it

    named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Tracing.start(named=named or bool(environment.get("OTEL_SERVICE_NAME")))
