"""Lines that a person types, waited for without a thread: a run that is stopped need not wait for the next Enter."""

import asyncio
import os
import termios


class TypedLines:
    """Reads a descriptor line by line: a terminal, a pipe or a file."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._buffer = b""

    async def line(self) -> str | None:
        """The next line without its end; None at the end of the input."""
        while b"\n" not in self._buffer:
            await self._readable()
            data = os.read(self._descriptor, 1 << 16)
            if not data:
                rest, self._buffer = self._buffer, b""
                return rest.decode(errors="replace") if rest else None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode(errors="replace").removesuffix("\r")

    def forget(self) -> None:
        """Drop what was typed at a terminal before it was asked for. A pipe or a file may be ahead, and keeps it."""
        if os.isatty(self._descriptor):
            self._buffer = b""
            termios.tcflush(self._descriptor, termios.TCIFLUSH)

    async def _readable(self) -> None:
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        try:
            loop.add_reader(self._descriptor, _settle, ready)
        except PermissionError:  # A regular file is always readable, and cannot be waited for.
            return
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)


def _settle(ready: "asyncio.Future[None]") -> None:
    if not ready.done():
        ready.set_result(None)
