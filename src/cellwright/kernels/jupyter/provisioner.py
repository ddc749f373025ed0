"""What jupyter_client asks for kernels, by the name `cellwright-provisioner` among its entry points for provisioners.

https://jupyter-client.readthedocs.io/en/stable/provisioning.html. A kernelspec names it in its metadata, with its
options beside it; `specs.py` writes such kernelspecs.
"""

import asyncio
import json
import os
import select
import signal
import socket
import sys
from typing import Any

import traitlets
from jupyter_client.connect import KernelConnectionInfo, LocalPortCache
from jupyter_client.localinterfaces import is_local_ip
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from cellwright.core.errors import KernelStartError
from cellwright.kernels.jupyter.hosts import connect

NAME = "cellwright-provisioner"
_CHANNELS = ("shell_port", "iopub_port", "stdin_port", "control_port", "hb_port")
_POLL_S = 0.05
_START_TIMEOUT_S = 180.0
_MOST_HOSTS = 3
_OPTIONS = ("python", "rung", "network", "files", "limits")


class CellwrightProvisioner(KernelProvisionerBase):
    """One kernel. Its connection to the host is the kernel's life."""

    python = traitlets.Unicode(sys.executable, help="The interpreter that runs the kernel.")
    rung = traitlets.Unicode(None, allow_none=True, help="Of the ladder of isolation; None is the best there is.")
    network = traitlets.Bool(False, help="Whether it reaches the network.")
    files = traitlets.Bool(True, help="Whether it sees the notebook's folder.")
    limits = traitlets.Dict(help="What it may use, as kernels.Limits has it.")

    _end: socket.socket | None = None
    _words = b""
    _why: str | None = None
    """Why the kernel has ended, once it has."""
    _ports_cached = False

    @property
    def has_process(self) -> bool:
        return self._end is not None

    async def poll(self) -> int | None:
        """None while the kernel lives."""
        if self._end is None:
            return 0
        self._hear(0)
        return None if self._why is None else 1

    async def wait(self) -> int | None:
        """Wait for the kernel's end."""
        while await self.poll() is None:
            await asyncio.to_thread(self._hear, _POLL_S)
        self._let_go()
        return 0

    async def send_signal(self, signum: int) -> None:
        """SIGINT interrupts the cell; signals that end a process end the kernel; others are not passed on."""
        if signum == signal.SIGINT:
            self._say({"do": "interrupt"})
        elif signum in (signal.SIGTERM, signal.SIGKILL, signal.SIGQUIT):
            self._hang_up()

    async def kill(self, restart: bool = False) -> None:
        self._hang_up()

    async def terminate(self, restart: bool = False) -> None:
        self._hang_up()

    async def cleanup(self, restart: bool = False) -> None:
        """Give the ports back."""
        self._let_go()
        if self._ports_cached and not restart:
            ports: dict[str, Any] = {**self.connection_info}
            for name in _CHANNELS:
                LocalPortCache.instance().return_port(ports[name])
            self._ports_cached = False

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose ports and write the connection file, as jupyter_client's own provisioner does."""
        manager: Any = self.parent
        if manager.transport == "tcp" and not is_local_ip(manager.ip):
            raise RuntimeError(f"kernels can only be started on an interface of this machine, not on {manager.ip}")
        if manager.cache_ports and not self._ports_cached:
            for name in _CHANNELS:
                setattr(manager, name, LocalPortCache.instance().find_available_port(manager.ip))
            self._ports_cached = True
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Ask the host for a kernel and wait until it answers on its channels. Raises KernelStartError."""
        answer: dict[str, Any] = {}
        for _ in range(_MOST_HOSTS):
            self._let_go()
            self._end, self._why, self._words = await asyncio.to_thread(connect), None, b""
            self._say(self._wanted(kwargs))
            answer = await asyncio.to_thread(self._answer)
            if answer:
                break  # and not a host that was about to end
        if answer.get("is") != "started":
            self._let_go()
            raise KernelStartError(str(answer.get("why", "the host of kernels has ended")))
        return self.connection_info

    def _wanted(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        info: dict[str, Any] = {**self.connection_info}
        key = info["key"]
        connection = {
            "transport": info["transport"],
            "ip": info["ip"],
            "key": key.decode() if isinstance(key, bytes) else key,
            "signature_scheme": info["signature_scheme"],
            **{name: info[name] for name in _CHANNELS},
        }
        options = {name: getattr(self, name) for name in _OPTIONS}
        folder = str(kwargs.get("cwd") or os.getcwd())  # noqa: PTH109
        return {"connection": connection, "folder": folder, **options}

    def _answer(self) -> dict[str, Any]:
        """The host's first word."""
        assert self._end is not None
        while b"\n" not in self._words:
            if not select.select([self._end], [], [], _START_TIMEOUT_S)[0]:
                return {"why": f"no kernel came up in {_START_TIMEOUT_S:g} s"}
            try:
                data = self._end.recv(1 << 16)
            except ConnectionError:
                data = b""
            if not data:
                return {}
            self._words += data
        line, _, self._words = self._words.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _hear(self, timeout_s: float) -> None:
        """Look whether the host says that the kernel has ended; or whether the host has."""
        if self._end is None or self._why is not None:
            return
        if self._words or select.select([self._end], [], [], timeout_s)[0]:
            data = self._words or self._end.recv(1 << 16)
            self._words = b""
            self._why = json.loads(data.splitlines()[0]).get("why", "") if data else "its host has ended"

    def _say(self, message: dict[str, Any]) -> None:
        if self._end is not None:
            try:
                self._end.sendall(json.dumps(message).encode() + b"\n")
            except OSError:
                self._why = "its host has ended"

    def _hang_up(self) -> None:
        """No more orders: the host ends the kernel and says so."""
        if self._end is not None:
            try:
                self._end.shutdown(socket.SHUT_WR)
            except OSError:
                self._why = "its host has ended"

    def _let_go(self) -> None:
        if self._end is not None:
            self._end.close()
            self._end = None
