"""Whether this process records traces (docs/adr/0038). Without an OTLP endpoint nothing of OpenTelemetry's SDK is
imported, and no request passes any code of it."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # imports the SDK
    from stockbuddy.chassis.runtime.service_traces import ServiceTracing

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def is_tracing_enabled() -> bool:
    """By the standard variables: an endpoint is set, and neither the SDK nor the exporter is switched off."""
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if os.environ.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return any(os.environ.get(name) for name in ENDPOINTS)


def tracing_of(service: str) -> ServiceTracing | None:
    """What records the spans of `service`; None if tracing is off. The caller closes it."""
    if not is_tracing_enabled():
        return None
    module = importlib.import_module("stockbuddy.chassis.runtime.service_traces")
    tracing: ServiceTracing = module.ServiceTracing(service)
    return tracing
