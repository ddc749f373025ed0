"""Times kernels of this machine against a plain ipykernel, and writes the table of docs/benchmarks.md.

`python -m benchmarks.kernels [--quick]`. The plain kernel is started by jupyter_client, as nbclient and papermill do.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import nbclient
import nbformat
from jupyter_client.manager import AsyncKernelManager

from benchmarks.tables import table, write_section
from cellwright.kernels import Kernel, KernelSettings, Limits, LocalPool
from cellwright.kernels.jupyter.host import IDLE_VARIABLE
from cellwright.kernels.jupyter.specs import Spec, install

IMPORTS = "import numpy, pandas, matplotlib.pyplot, sklearn.linear_model, sklearn.ensemble, scipy.stats"
FRAME = "import numpy as np, pandas as pd; frame = pd.DataFrame(np.random.rand({mb} * 2**20 // 80, 10))"


async def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="fewer repetitions, no 1,000 kernels; writes nothing")
    quick: bool = arguments.parse_args().quick
    async with LocalPool(2000) as pool, LocalPool(2000, reserve=2) as ready:
        async with pool.kernel(KernelSettings()), ready.kernel(KernelSettings()):
            pass  # Both templates are warm now.
        plain = await _plain(2 if quick else 5)
        starts = await _starts(pool, 5 if quick else 60, pause_s=0.0)
        from_reserve = await _starts(ready, 5 if quick else 30, pause_s=0.4)
        rows = [
            [
                "start to first reply, with the libraries imported",
                plain["start"],
                f"{_ms(starts)}, {_ms(from_reserve)} from the reserve",
                "50 ms, 5 ms",
            ],
            ["memory of an idle kernel (PSS)", plain["memory"], await _memory(pool, 10 if quick else 40), "13 MB"],
            ["kernels started and used per second", plain["rate"], await _rate(pool, 3 if quick else 10), "30"],
            ["round trip of a trivial cell", plain["trip"], await _trip(pool), "2 ms"],
            *[
                [f"branch to its first reply, {mb} MB frame loaded", "none", await _branches(pool, mb), goal]
                for mb, goal in ((0, ""), (500, "100 ms"), (4096, ""))[: 2 if quick else 3]
            ],
        ]
        rows.append(
            ["nbclient, four cells with a figure", *await asyncio.to_thread(_nbclient, 1 if quick else 5), "0.3 s"]
        )
        if not quick:
            rows.append(["1,000 alive at once", "no", await _crowd(pool, 1000), "all answer, 16 GB"])
        rung = pool.rung
    body = table(["", "a plain ipykernel", f"Cellwright ({rung})", "goal"], rows)
    sys.stdout.write(body + "\n")
    if not quick:
        write_section("Kernels", "make bench-kernels", body)


def _ms(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds) * 1e3:.1f} ms (best {min(seconds) * 1e3:.1f})"


async def _timed(work: Awaitable[object]) -> float:
    started = time.perf_counter()
    await work
    return time.perf_counter() - started


def pss_bytes(pids: Sequence[int]) -> int:
    """Memory of processes, with what they share divided among those that share it."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError), Path(f"/proc/{pid}/smaps_rollup").open() as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total << 10


def descendants(pid: int) -> list[int]:
    """What a process started, and what that started; of one that ends meanwhile, what was seen."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += [int(child) for child in (task / "children").read_text().split()]
    return children + [found for child in children for found in descendants(child)]


# --- a plain ipykernel -------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def _plain_kernel() -> AsyncIterator[tuple[AsyncKernelManager, Callable[[str], Awaitable[object]]]]:
    manager = AsyncKernelManager(kernel_name="python3")
    await manager.start_kernel(stdout=-3, stderr=-3)
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=60)

    async def execute(code: str) -> object:
        return await client.execute_interactive(code, output_hook=lambda _: None, timeout=120)

    try:
        yield manager, execute
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def _plain(repetitions: int) -> dict[str, str]:
    starts, trips = [], []
    began = time.perf_counter()
    for _ in range(repetitions):
        started = time.perf_counter()
        async with _plain_kernel() as (_, execute):
            await execute(IMPORTS)
            starts.append(time.perf_counter() - started)
            for _ in range(20):
                await execute("1")
            trips += [await _timed(execute("1")) for _ in range(100)]
    used = time.perf_counter() - began
    async with _plain_kernel() as (_, execute):
        before = pss_bytes(descendants(os.getpid()))
        async with _plain_kernel() as (_, other):
            await other(IMPORTS)
            await execute("1")
            memory = pss_bytes(descendants(os.getpid())) - before
    return {
        "start": f"{statistics.median(starts):.1f} s",
        "trip": _ms(trips),
        "rate": f"{repetitions / used:.2f}",
        "memory": f"{memory / 1e6:.0f} MB",
    }


# --- ours ----------------------------------------------------------------------------------------------


async def _starts(pool: LocalPool, repetitions: int, pause_s: float) -> list[float]:
    times = []
    for _ in range(repetitions):
        started = time.perf_counter()
        async with pool.kernel(KernelSettings()) as kernel:
            await _use(kernel, "1")
            times.append(time.perf_counter() - started)
        await asyncio.sleep(pause_s)
    return times


async def _use(kernel: Kernel, code: str) -> None:
    result = await kernel.execute(code, timeout_s=300)
    if result.status != "ok":
        raise RuntimeError(f"{code!r} gave {result}")


async def _memory(pool: LocalPool, count: int) -> str:
    async with contextlib.AsyncExitStack() as alive:
        await _use(await alive.enter_async_context(pool.kernel(KernelSettings())), IMPORTS)
        before = pss_bytes(descendants(os.getpid()))
        for _ in range(count):
            await _use(await alive.enter_async_context(pool.kernel(KernelSettings())), IMPORTS)
        return f"{(pss_bytes(descendants(os.getpid())) - before) / count / 1e6:.1f} MB"


async def _rate(pool: LocalPool, seconds: float) -> str:
    done = 0
    end = time.perf_counter() + seconds

    async def user() -> None:
        nonlocal done
        while time.perf_counter() < end:
            async with pool.kernel(KernelSettings()) as kernel:
                await _use(kernel, "1")
            done += 1

    await asyncio.gather(*(user() for _ in range(4)))
    return f"{done / seconds:.0f}"


async def _trip(pool: LocalPool) -> str:
    async with pool.kernel(KernelSettings()) as kernel:
        for _ in range(50):
            await _use(kernel, "1")
        return _ms([await _timed(_use(kernel, "1")) for _ in range(400)])


async def _branches(pool: LocalPool, mb: int) -> str:
    times = []
    async with pool.kernel(KernelSettings(limits=Limits(memory_bytes=16 << 30))) as kernel:
        await _use(kernel, FRAME.format(mb=mb) if mb else "1")
        for _ in range(8):
            started = time.perf_counter()
            (branch,) = await kernel.branch()
            await _use(branch, "1")
            times.append(time.perf_counter() - started)
            await branch.close()
    return _ms(times)


async def _crowd(pool: LocalPool, count: int) -> str:
    before = pss_bytes(descendants(os.getpid()))
    started = time.perf_counter()
    async with contextlib.AsyncExitStack() as alive:
        kernels = []
        for number in range(count):
            kernels.append(await alive.enter_async_context(pool.kernel(KernelSettings())))
            await _use(kernels[-1], f"n = {number}")
        took = time.perf_counter() - started
        right = 0
        for number, kernel in enumerate(kernels):
            right += (await kernel.execute("print(n)", timeout_s=60)).stdout == f"{number}\n"
        memory = pss_bytes(descendants(os.getpid())) - before
    return f"{right:,} answer, {memory / 1e9:.1f} GB, started in {took:.0f} s"


_CELLS = (
    "import pandas as pd",
    "frame = pd.DataFrame({'x': range(100)})\nframe.describe()",
    "import matplotlib.pyplot as plt\nframe.x.plot()\nplt.show()",
    "print(frame.x.sum())",
)


def _nbclient(count: int) -> tuple[str, str]:
    """The same notebook through an unmodified nbclient, in a plain ipykernel and in ours, whose host is warm."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JUPYTER_DATA_DIR": folder, "XDG_RUNTIME_DIR": folder, IDLE_VARIABLE: "3"}
        install(Spec(), user=True)
        found = []
        for name in ("python3", "cellwright"):
            _execute(name)
            seconds = []
            for _ in range(count):
                began = time.perf_counter()
                _execute(name)
                seconds.append(time.perf_counter() - began)
            found.append(f"{statistics.median(seconds):.2f} s (best {min(seconds):.2f})")
        time.sleep(4)  # The host ends, and lets go of the folder.
    return found[0], found[1]


def _execute(kernel: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in _CELLS]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    nbclient.NotebookClient(notebook, kernel_name=kernel).execute()


if __name__ == "__main__":
    asyncio.run(main())
