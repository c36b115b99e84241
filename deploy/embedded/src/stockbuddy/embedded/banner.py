"""Printed once the system is ready: its URL, and how to register the first admin."""

import asyncio
import sys

import uvicorn

from stockbuddy.embedded.settings import EmbeddedSettings

POLL_INTERVAL_SECONDS = 0.02


async def print_banner_when_started(settings: EmbeddedSettings, server: uvicorn.Server) -> None:
    while not server.started:
        await asyncio.sleep(POLL_INTERVAL_SECONDS)
    print_banner(f"http://127.0.0.1:{settings.port}")


def print_banner(url: str) -> None:
    print(banner(url), file=sys.stderr, flush=True)


def banner(url: str) -> str:
    return f"""
Stockbuddy is ready at {url} (API documentation: {url}/docs). Ctrl-C stops it.

Register the first admin, once:
  curl -s {url}/api/v1/auth/admin/register -H 'Content-Type: application/json' \\
    -d '{{"username": "admin", "email": "admin@example.com", "password": "choose-a-Long-one-7"}}'
"""
