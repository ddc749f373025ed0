"""The process that starts kernels for a person's Jupyter clients, and keeps templates warm between them.

`python -m cellwright.kernels.jupyter.host SOCKET`. A client's connection is the life of its kernel: when it closes, by
whatever end of the client, the kernel goes. The host ends itself when it has had no kernel for `IDLE_S`.
"""

import asyncio
import contextlib
import json
import logging
import os
import socket
import stat
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from cellwright.core.errors import CellwrightError, KernelStartError, UsageError
from cellwright.core.types import MODERN
from cellwright.kernels.isolation import Rung, is_sandboxed
from cellwright.kernels.jupyter.relay import Connection, Relay
from cellwright.kernels.local import LocalKernel
from cellwright.kernels.placement import place
from cellwright.kernels.pool import LocalPool
from cellwright.kernels.protocol import KernelSettings, Limits

IDLE_S = 300.0
IDLE_VARIABLE = "CELLWRIGHT_HOST_IDLE_S"
_MOST_KERNELS = 1000
_MOST_COPIES, _MOST_COPIED_BYTES = 200, 1 << 30
_BESIDE = "beside"
# Links to what stands beside the notebook, so that what the kernel writes has a place among it.
_SETTLE = """
def _settle(os):
    here = os.path.join(os.getcwd(), "data", {beside!r})
    os.makedirs("notebook")
    os.chdir("notebook")
    for name in os.listdir(here):
        os.symlink(os.path.join(here, name), name)
_settle(__import__("os"))
del _settle
"""
_MOST_MESSAGE_BYTES = 1 << 20
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """The kernel that a client wants."""

    connection: Connection
    folder: str
    """Of the notebook."""
    python: str = sys.executable
    rung: Rung | None = None
    network: bool = False
    files: bool = True
    """Whether it sees the folder of the notebook, read-only; only where kernels have a file system of their own."""
    limits: Limits = field(default_factory=Limits)


class Host:
    """One listening socket, and a pool for each interpreter and rung."""

    def __init__(self, idle_s: float, leave: Callable[[], None]) -> None:
        self._idle_s = idle_s
        self._leave = leave
        """Be found no more: called before the host stops to listen."""
        self._pools: dict[tuple[str, Rung | None], LocalPool] = {}
        self._clients = 0
        self._quiet = asyncio.Event()

    async def serve(self, listener: socket.socket) -> None:
        """Until nobody has wanted a kernel for some time."""
        server = await asyncio.start_unix_server(self._attend, sock=listener, limit=_MOST_MESSAGE_BYTES)
        try:
            while True:
                self._quiet.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._quiet.wait(), self._idle_s)
                    continue
                if not self._clients:
                    return
        finally:
            self._leave()
            server.close()
            for pool in self._pools.values():
                await pool.close()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients += 1
        try:
            if _peer(writer) != os.getuid():
                return
            await self._serve_kernel(reader, writer)
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            logger.warning("a client was lost: %s", error)
        finally:
            self._clients -= 1
            self._quiet.set()
            writer.close()

    async def _serve_kernel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if not line:
            return
        try:
            wanted = msgspec.json.decode(line, type=Wanted)
            pool = self._pool(wanted)
            settings = KernelSettings(_tables(wanted, pool.rung), limits=wanted.limits, network=wanted.network)
            async with pool.kernel(settings) as kernel:
                if not isinstance(kernel, LocalKernel):
                    raise KernelStartError("only kernels of this machine can be relayed")
                await _settle_in(kernel, wanted, pool.rung)
                relay = Relay(kernel.hand_over(), wanted.connection, kernel.interrupt)
                await relay.start()
                try:
                    _say(writer, {"is": "started", "isolation": kernel.isolation})
                    await self._until_end(kernel, relay, reader, writer)
                finally:
                    relay.close()
        except (CellwrightError, msgspec.ValidationError) as error:
            _say(writer, {"is": "failed", "why": str(error)})
        with contextlib.suppress(OSError):
            await writer.drain()

    async def _until_end(
        self, kernel: LocalKernel, relay: Relay, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry out the client's orders until the client, the kernel, or a request to shut down ends it."""
        while True:
            order = asyncio.ensure_future(reader.readline())
            waits: set[asyncio.Future[Any]] = {order, kernel.died, relay.shut_down}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            if order.done() and order.result() and json.loads(order.result()).get("do") == "interrupt":
                await kernel.interrupt()
                continue
            order.cancel()
            if kernel.died.done():
                await relay.tell_dead()
            why = kernel.died.result() if kernel.died.done() else "it was shut down"
            await kernel.close()
            _say(writer, {"is": "ended", "why": why})
            return

    def _pool(self, wanted: Wanted) -> LocalPool:
        key = (wanted.python, wanted.rung)
        if key not in self._pools:
            self._pools[key] = LocalPool(_MOST_KERNELS, rung=wanted.rung, pythons={MODERN: wanted.python}, reserve=1)
        return self._pools[key]


def _tables(wanted: Wanted, rung: Rung) -> dict[str, Path]:
    """The folder of the notebook as a table; none where the kernel sees it anyway, or where it would be copied."""
    folder = Path(wanted.folder)
    if not is_sandboxed(rung) or not wanted.files or not folder.is_dir():
        return {}
    others_may = stat.S_IROTH | stat.S_IXOTH
    if rung != "root" or folder.stat().st_mode & others_may == others_may:
        return {_BESIDE: folder}
    # As root, kernels are users that this folder is closed to. Its files, if they are few, are shown as copies.
    try:
        found = place([folder], folder).paths
    except (UsageError, OSError):
        return {}
    size = sum(path.stat().st_size for path in found.values())
    few = len(found) <= _MOST_COPIES and size <= _MOST_COPIED_BYTES
    return {f"{_BESIDE}/{name}": path for name, path in found.items()} if few else {}


async def _settle_in(kernel: LocalKernel, wanted: Wanted, rung: Rung) -> None:
    """Go where the notebook is. The client's first cell is number 1 all the same."""
    if rung == "trusted":
        await kernel.run_quietly(f"__import__('os').chdir({wanted.folder!r})")
    elif _tables(wanted, rung):
        await kernel.run_quietly(_SETTLE.format(beside=_BESIDE))


def _say(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError, RuntimeError):
        writer.write(json.dumps(message).encode() + b"\n")


def _peer(writer: asyncio.StreamWriter) -> int:
    """The user at the other end, by what Linux says."""
    peer: socket.socket = writer.get_extra_info("socket")
    credentials = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return int.from_bytes(credentials[4:8], sys.byteorder)


def main() -> None:
    """Listen at the path that the first argument names, then go on alone: the process that was started ends at once."""
    path = Path(sys.argv[1])
    beside = path.with_suffix(f".{os.getpid()}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(beside))
        listener.listen(128)
        mine = beside.stat().st_ino
        beside.replace(path)
        if os.fork():
            os._exit(0)  # Nobody has to wait for the host, and it is nobody's child.
        os.setsid()
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

        def leave() -> None:
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == mine:  # and not of a host that has come after this one
                    path.unlink()

        try:
            asyncio.run(Host(float(os.environ.get(IDLE_VARIABLE, IDLE_S)), leave).serve(listener))
        finally:
            leave()


if __name__ == "__main__":
    main()
