"""One POST by each client of HTTP that is followed; it follows redirects, and gives the status."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import aiohttp
import httpx
import requests
import urllib3


def over_httpx(url: str) -> int:
    return httpx.post(url, timeout=2, follow_redirects=True).status_code


def over_async_httpx(url: str) -> int:
    async def post() -> int:
        async with httpx.AsyncClient(timeout=2, follow_redirects=True) as client:
            return (await client.post(url)).status_code

    return asyncio.run(post())


def over_requests(url: str) -> int:
    return requests.post(url, timeout=2).status_code


def over_urllib3(url: str) -> int:
    with urllib3.PoolManager(timeout=2) as pools:
        return pools.request("POST", url, retries=urllib3.Retry(connect=0, redirect=3)).status


def over_aiohttp(url: str) -> int:
    async def post() -> int:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session, session.post(url) as answer:
            return answer.status

    return asyncio.run(post())


CLIENTS: dict[Callable[[str], int], type[Exception]] = {
    over_httpx: httpx.ConnectError,
    over_async_httpx: httpx.ConnectError,
    over_requests: requests.ConnectionError,
    over_urllib3: urllib3.exceptions.MaxRetryError,
    over_aiohttp: aiohttp.ClientConnectorError,
}
"""Each with what it raises where nobody listens."""
