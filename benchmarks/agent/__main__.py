"""Times many runs of the loop at once against a scripted server, and kills 500 of them in the middle.

`python -m benchmarks.agent [--quick]`. Ideal: every run waits for replies and for nothing else. Client, kernels and
server share the machine's cores.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.tables import table, write_section
from cellwright.agent import Assignment, RunLimits, run_agent
from cellwright.agent.batch import TraceFile
from cellwright.core.types import CellResult, Output, Trace
from cellwright.kernels import Kernel, KernelSettings, LocalPool
from cellwright.models import Endpoint, OpenAIModel, Traits

LATENCY_S = 0.2
KILLED_RUNS, KILLED_TURNS = 500, 5


@dataclass(frozen=True)
class Server:
    """The scripted server's process."""

    url: str
    process: "subprocess.Popen[str]"

    def counts(self) -> dict[str, int]:
        """Chats that were asked for, and how often one was asked for again."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        found: dict[str, int] = json.loads(self.process.stdout.readline())
        return found


@contextlib.contextmanager
def served(turns: int) -> Iterator[Server]:
    command = [sys.executable, "-m", "benchmarks.agent.server", str(LATENCY_S), str(turns)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield Server(process.stdout.readline().strip(), process)
        process.stdin.close()


class NoKernel:
    """In the place of a kernel: what the loop and its model take by themselves."""

    isolation = "none"

    async def execute(self, code: str, *, timeout_s: float | None = None, listen: Any = None) -> CellResult:
        return CellResult("ok", (Output("stream", name="stdout", text="1\n"),), 0.0)

    async def interrupt(self) -> None: ...

    async def branch(self, count: int = 1, *, seeds: Any = None) -> list[Kernel]:
        raise NotImplementedError

    async def close(self) -> None: ...


async def throughput(at_once: int, turns: int, *, real: bool) -> list[str]:
    """A row: runs at once, replies per second, share of the ideal, processor time, memory."""
    with served(turns) as server:
        async with contextlib.AsyncExitStack() as stack:
            pool = await stack.enter_async_context(LocalPool(at_once))
            endpoint = Endpoint(server.url, Traits("scripted"), concurrency=at_once)
            model = await stack.enter_async_context(OpenAIModel(endpoint))
            kernels: list[Kernel] = [NoKernel() for _ in range(at_once)]
            if real:
                kernels = [await stack.enter_async_context(pool.kernel(KernelSettings())) for _ in range(at_once)]
            limits = RunLimits(steps=turns)
            # The SDK is imported, and its certificates read, with the first chat of a program.
            await run_agent(Assignment("warm", "warm"), model, NoKernel(), limits=RunLimits(steps=1))
            before = _rss()
            cpu = time.process_time()

            async def one(number: int, kernel: Kernel) -> float:
                # Out of step with each other, as runs are that wait for real models.
                await asyncio.sleep(number / at_once * LATENCY_S)
                began = time.monotonic()
                assignment = Assignment(f"run {number}", f"question {number}")
                traces.append(await run_agent(assignment, model, kernel, limits=limits))
                return time.monotonic() - began

            traces: list[Trace] = []
            seconds = statistics.mean(await asyncio.gather(*(one(n, kernel) for n, kernel in enumerate(kernels))))
            cpu = time.process_time() - cpu
            grown = max(0, _rss() - before)
    return [
        f"{at_once}{'' if real else ', without kernels'}",
        f"{at_once * turns / seconds:.0f}",
        f"{turns * LATENCY_S / seconds:.0%}",
        f"{cpu / (at_once * turns) * 1e3:.1f} ms",
        f"{grown / at_once / 1e3:.0f} kB",
    ]


def _rss() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def killed() -> str:
    """Kill 500 runs in the middle and do them again: how often a reply was asked for twice."""
    with served(KILLED_TURNS) as server, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.agent.runs", server.url, folder, str(KILLED_RUNS)]
        traces = TraceFile(Path(folder) / "traces.jsonl")
        with subprocess.Popen(command) as first:
            while len(traces.load()) < KILLED_RUNS // 2:
                time.sleep(0.1)
            first.send_signal(signal.SIGKILL)
        finished = len(traces.load())
        before = server.counts()
        began = time.monotonic()
        subprocess.run(command, check=True)
        after = server.counts()
        whole = len(traces.load())
    under_way = after["again"]
    return (
        f"Killed with SIGKILL when {finished} of {KILLED_RUNS} runs of {KILLED_TURNS} turns were done, "
        f"{before['asked']} replies asked for. Started again: all {whole} done {time.monotonic() - began:.0f} s later, "
        f"{after['asked']} different replies in all, {under_way} asked for twice: those under way at the kill "
        "(64 runs at once), which the program had not received."
    )


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer turns; writes nothing")
    quick: bool = arguments.parse_args().quick
    turns = 8 if quick else 24
    rows = []
    for at_once, real in ((16, True), (64, True), (256, True), (256, False)):
        rows.append(await throughput(at_once, turns, real=real))
        sys.stderr.write(" · ".join(rows[-1]) + "\n")
    headings = [
        "runs at once",
        "replies/s",
        "of the ideal",
        "processor time of the program, a reply",
        "memory of the program, a run",
    ]
    body = table(headings, rows) + "\n\n" + killed()
    sys.stdout.write(body + "\n")
    if not quick:
        write_section("Agent", "make bench-agent", body)


if __name__ == "__main__":
    asyncio.run(main())
