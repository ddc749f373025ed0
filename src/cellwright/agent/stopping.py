"""Work that a person can stop."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """A person stopped the run."""


async def unless_stopped(work: Awaitable[T], stop: asyncio.Event | None) -> T:
    """Do `work`; when `stop` is set first, cancel it and raise Stopped."""
    if stop is None:
        return await work
    doing = asyncio.ensure_future(work)
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not doing.done():
            raise Stopped
        return doing.result()
    finally:
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
