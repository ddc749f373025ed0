"""Kernels started, used and killed at random, and what is left of them: nothing.

`python -m benchmarks.kernels.soak [--count 2000] [--rung RUNG]` writes a section of docs/benchmarks.md, and fails when
something has leaked: a process, a descriptor, a mount, a folder, a control group, or more than 5% of memory.
"""

import argparse
import asyncio
import contextlib
import gc
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.kernels.__main__ import descendants, pss_bytes
from benchmarks.tables import table, write_section
from cellwright.core.errors import KernelDied, KernelStartError
from cellwright.kernels import DATA_SCIENCE, Kernel, KernelSettings, Limits, LocalPool
from cellwright.kernels.isolation import LADDER, Rung, best_rung

_AT_ONCE = 8
_WARM_UP = 200
_SETTLED_S = 20.0
_MOST_GROWTH = 0.05
_LEAVE_CHILDREN = """
import os, subprocess, time
detached = subprocess.Popen(["sleep", "600"], start_new_session=True)
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
"""


@dataclass(frozen=True)
class Census:
    """What there is, of the program, its templates and the machine, while no kernel is alive."""

    processes: int
    descriptors: int
    descriptors_of_templates: int
    mounts: int
    folders: int
    groups: int
    memory_bytes: int


def census(scratch: Path) -> Census:
    ours = _ours()
    return Census(
        processes=len(ours),
        descriptors=_descriptors(os.getpid()),
        descriptors_of_templates=sum(map(_descriptors, ours)),
        mounts=sum(_mounts(pid) for pid in (os.getpid(), *ours)),
        folders=len(list(scratch.iterdir())),
        groups=sum(len(list(Path("/sys/fs/cgroup").glob(f"**/cellwright-{pid}/*/"))) for pid in ours),
        memory_bytes=pss_bytes([os.getpid(), *ours]),
    )


def _descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _mounts(pid: int) -> int:
    return len(Path(f"/proc/{pid}/mountinfo").read_text().splitlines())


# --- what happens to a kernel --------------------------------------------------------------------------


async def _is_used(kernel: Kernel) -> None:
    await kernel.execute("import pandas as pd; frame = pd.DataFrame({'x': range(1000)}); frame.describe()")
    await kernel.execute("open('file', 'w').write('x' * 100_000); 1 / 0")


async def _floods(kernel: Kernel) -> None:
    await kernel.execute("for i in range(5000): print('x' * 100)")


async def _leaves_children(kernel: Kernel) -> None:
    await kernel.execute(_LEAVE_CHILDREN)


async def _ends_itself(kernel: Kernel) -> None:
    await kernel.execute(random.choice(("import os; os._exit(3)", "import ctypes; ctypes.string_at(0)")))


async def _is_killed(kernel: Kernel) -> None:
    """Its processes from outside, in the middle of a cell."""
    marker = f"cw{time.monotonic_ns()}"
    run = asyncio.create_task(kernel.execute(f"import os, time; open({marker!r}, 'w').close(); time.sleep(60)"))
    await asyncio.sleep(0.05)
    victim = random.choice(_sandboxes() or [0])
    if victim:
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
    await asyncio.wait({run}, timeout=0.2)
    await kernel.close()
    await run


_not_ours: set[int] = set()
"""Children that the program had before the soak."""


def _ours() -> list[int]:
    """The soak's templates, and what they have started."""
    templates = set(_children(os.getpid())) - _not_ours
    return [*templates, *(pid for template in templates for pid in descendants(template))]


def _sandboxes() -> list[int]:
    """First processes and kernels: what templates have started."""
    return [pid for pid in _ours() if pid not in _children(os.getpid())]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _is_over_its_time(kernel: Kernel) -> None:
    await kernel.execute("while True: pass", timeout_s=0.1)


async def _fills_its_memory(kernel: Kernel) -> None:
    await kernel.execute("blocks = []\nwhile True: blocks.append(bytearray(5_000_000))", timeout_s=20)


async def _branches(kernel: Kernel) -> None:
    """Branches, some of which outlive their parent."""
    await kernel.execute("kept = list(range(100_000))")
    for branch in await kernel.branch(2):
        if random.random() < 0.5:
            await kernel.close()
        with contextlib.suppress(KernelDied):
            await branch.execute("kept.append(1); len(kept)")
        await branch.close()


async def _is_cancelled(kernel: Kernel) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(kernel.execute("import time; time.sleep(60)"), 0.05)


_FATES: tuple[Callable[[Kernel], Awaitable[None]], ...] = (
    _is_used,
    _floods,
    _leaves_children,
    _ends_itself,
    _is_killed,
    _is_over_its_time,
    _fills_its_memory,
    _branches,
    _is_cancelled,
)


async def _life(pool: LocalPool, shown: Path, ends: Counter[str]) -> None:
    """One kernel from its start to its end. A neighbour's fate may be to kill it."""
    settings = KernelSettings(
        tables={"x.csv": shown} if random.random() < 0.5 else {},
        seed=random.choice((None, 1)),
        limits=Limits(memory_bytes=random.choice((128, 256)) << 20, disk_bytes=64 << 20),
    )
    fate = random.choice(_FATES)
    try:
        if random.random() < 0.05:
            async with asyncio.timeout(random.random() * 0.05), pool.kernel(settings):
                pass
            ends["started"] += 1
            return
        async with pool.kernel(settings) as kernel:
            await fate(kernel)
        ends[fate.__name__.strip("_").replace("_", " ")] += 1
    except TimeoutError:
        ends["was cancelled while it started"] += 1
    except (KernelDied, KernelStartError):
        ends["was killed by another's fate"] += 1


async def soak(rung: Rung, count: int, warm_up: int, preload: tuple[str, ...]) -> tuple[Census, Census, Counter[str]]:
    """The census after `warm_up` kernels, the one after `count` more, and what became of them."""
    ends: Counter[str] = Counter()
    random.seed(0)
    _not_ours.update(_children(os.getpid()))
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        shown = Path(folder) / "x.csv"
        shown.write_text("a,b\n1,2\n")
        try:
            async with LocalPool(_AT_ONCE, rung=rung, preload=preload) as pool:
                await _lives(pool, warm_up, shown, Counter())
                before = await _settled(Path(folder), None)
                await _lives(pool, count, shown, ends)
                after = await _settled(Path(folder), before)
        finally:
            tempfile.tempdir = None
    return before, after, ends


async def _lives(pool: LocalPool, count: int, shown: Path, ends: Counter[str]) -> None:
    numbers = iter(range(count))

    async def user() -> None:
        for _ in numbers:
            await _life(pool, shown, ends)

    await asyncio.gather(*(user() for _ in range(_AT_ONCE)))


async def _settled(scratch: Path, like: Census | None) -> Census:
    """The census once it holds still: the last descriptors close a moment after the last kernel."""
    deadline = time.monotonic() + _SETTLED_S
    last = None
    while True:
        gc.collect()
        await asyncio.sleep(0.5)
        found = census(scratch)
        still = last is not None and _counts(last) == _counts(found)
        if (still and (like is None or not leaks(like, found))) or time.monotonic() > deadline:
            return found
        last = found


def _counts(found: Census) -> dict[str, int]:
    return {name: value for name, value in asdict(found).items() if name != "memory_bytes"}


def leaks(before: Census, after: Census) -> list[str]:
    """Names of what there is more of than before."""
    grown = [name for name, value in _counts(after).items() if value > _counts(before)[name]]
    too_large = after.memory_bytes > before.memory_bytes * (1 + _MOST_GROWTH)
    return grown + (["memory_bytes"] if too_large else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--rung", choices=LADDER)
    arguments = parser.parse_args()
    rung: Rung = arguments.rung or best_rung(sys.executable)
    started = time.monotonic()
    before, after, ends = asyncio.run(soak(rung, arguments.count, _WARM_UP, DATA_SCIENCE))
    took = time.monotonic() - started
    rows = [[name.replace("_", " "), str(value), str(_counts(after)[name])] for name, value in _counts(before).items()]
    rows.append(["memory (PSS)", f"{before.memory_bytes / 1e6:.1f} MB", f"{after.memory_bytes / 1e6:.1f} MB"])
    fates = ", ".join(f"{name} {number}" for name, number in sorted(ends.items()))
    body = (
        f"{arguments.count:,} kernels ({rung}), {_AT_ONCE} at once, in {took:.0f} s, after {_WARM_UP} to warm up. "
        f"What became of them: {fates}.\n\n" + table(["while no kernel is alive", "before", "after"], rows)
    )
    sys.stdout.write(body + "\n")
    leaked = leaks(before, after)
    if leaked:
        sys.exit(f"leaked: {', '.join(leaked)}")
    write_section(f"Soak of kernels ({rung})", "make soak-kernels", body)


if __name__ == "__main__":
    main()
