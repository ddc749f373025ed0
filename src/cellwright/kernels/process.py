"""The process of one kernel: started, watched by the operating system's own means, and ended with all that it started.

A sandboxed kernel's processes share a namespace and end together. A trusted one's are found by their process group and
their parents: one that detached from both is not found.
"""

import asyncio
import contextlib
import json
import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from cellwright.kernels.confinement import Launch

_END_TIMEOUT_S = 10.0
_REPORT_TIMEOUT_S = 10.0


class KernelProcess:
    """A running kernel. It must be started in the thread of the event loop: its life is tied to that thread's."""

    def __init__(self, launch: Launch, config: dict[str, object], sockets: Sequence[int], log: Path) -> None:
        self._sandboxed = bool(launch.bubblewrap_options)
        self._info, info_end = os.pipe()
        os.set_blocking(self._info, False)
        try:
            with log.open("wb") as words, _options_file(launch, info_end) as options:
                argv, inherited = list(launch.argv), list(sockets)
                if self._sandboxed:
                    argv[1:1] = ["--args", str(options.fileno())]
                    inherited += [info_end, options.fileno()]
                self._popen = subprocess.Popen(
                    argv,
                    stdin=subprocess.PIPE,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    env=launch.environment,
                    cwd=launch.cwd,
                    pass_fds=inherited,
                    start_new_session=True,
                )
        except BaseException:
            os.close(self._info)
            raise
        finally:
            os.close(info_end)
        self._pidfd = os.pidfd_open(self._popen.pid)
        self._init_pidfd: int | None = None
        self._loop = asyncio.get_running_loop()
        self.died: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(self._pidfd, self._on_exit)
        self._ended = False
        self._configure(config)

    def _configure(self, config: dict[str, object]) -> None:
        assert self._popen.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._popen.stdin as stdin:
            stdin.write(json.dumps(config).encode() + b"\n")

    def _on_exit(self) -> None:
        self._loop.remove_reader(self._pidfd)
        if not self.died.done():
            self.died.set_result(None)

    def came_up(self) -> None:
        """Take hold of the sandbox's first process, with which all others end."""
        if self._sandboxed and self._init_pidfd is None:
            with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
                self._init_pidfd = os.pidfd_open(json.loads(_report(self._info))["child-pid"])

    async def end(self) -> None:
        """Kill the kernel and everything it started, and wait until all of it is gone. May be called twice."""
        if self._ended:
            return
        self._ended = True
        self._kill()
        try:
            await asyncio.wait({self.died}, timeout=_END_TIMEOUT_S)
        finally:
            self._reap()

    def _kill(self) -> None:
        if not self._sandboxed:
            _kill_descendants(self._popen.pid)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            return
        if self._popen.poll() is None:
            # Killed before it has reported, bubblewrap would leave that process waiting for it for ever.
            self.came_up()
        # The first process goes first: its parent then reaps it, and no zombie is left to a machine without an init.
        if self._init_pidfd is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._init_pidfd, signal.SIGKILL)
        else:
            self._popen.kill()

    def _reap(self) -> None:
        if self._init_pidfd is not None:
            _readable(self._init_pidfd, _END_TIMEOUT_S)
            os.close(self._init_pidfd)
        if not _readable(self._pidfd, _END_TIMEOUT_S):
            self._popen.kill()
        self._popen.wait()
        self._loop.remove_reader(self._pidfd)
        if not self.died.done():
            self.died.set_result(None)
        os.close(self._pidfd)
        os.close(self._info)


def _options_file(launch: Launch, info_fd: int) -> IO[bytes]:
    """bubblewrap's options in the form of its --args: each ended by a zero byte."""
    options = os.fdopen(os.memfd_create("options"), "w+b", buffering=0)
    for option in (*launch.bubblewrap_options, "--info-fd", str(info_fd)):
        options.write(os.fsencode(option) + b"\0")
    options.seek(0)
    return options


def _report(descriptor: int) -> bytes:
    """What bubblewrap says of its sandbox: JSON, written piece by piece. Torn where it ended first."""
    report = b""
    while not report.rstrip().endswith(b"}") and _readable(descriptor, _REPORT_TIMEOUT_S):
        piece = os.read(descriptor, 4096)
        if not piece:
            break
        report += piece
    return report


def _readable(descriptor: int, timeout_s: float) -> bool:
    """Whether a pipe has something to read in time, or the process of a pidfd has ended."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(int(timeout_s * 1000)))


def _kill_descendants(pid: int) -> None:
    """Kill what `pid` started, and what that started, in other process groups too."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in parentheses, may hold spaces and parentheses; the parent is the second field after it.
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    waiting = list(children.get(pid, ()))
    while waiting:
        child = waiting.pop()
        waiting += children.get(child, ())
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(child, signal.SIGKILL)
