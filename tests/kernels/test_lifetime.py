"""Kernels end, and leave nothing behind, however they end; and a pool hands out no more than it has."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.kernels.__main__ import descendants
from cellwright.core.errors import KernelDied, KernelStartError
from cellwright.core.types import MODERN
from cellwright.kernels import KernelSettings, Limits, LocalPool

from .bench import Laboratory, open_pool


def processes(marker: str) -> list[int]:
    """Processes of this machine that have `marker` in their command line."""
    found = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if marker in line.read_text(errors="replace"):
                found.append(int(line.parent.name))
    return found


def gone(marker: str, patience_s: float = 5.0) -> bool:
    deadline = time.monotonic() + patience_s
    while processes(marker):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def nobody_in(folder: Path, patience_s: float = 5.0) -> bool:
    """Whether no process works in `folder`, as each of a kernel's does while it starts."""
    deadline = time.monotonic() + patience_s
    while any(work_folder(cwd).startswith(str(folder)) for cwd in Path("/proc").glob("[0-9]*/cwd")):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def work_folder(cwd: Path) -> str:
    try:
        return str(cwd.readlink())
    except OSError:
        return ""


def both_up(marker: str, patience_s: float = 20.0) -> bool:
    deadline = time.monotonic() + patience_s
    while len(processes(marker)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    return len(processes(marker)) == 2


def spawn_code(marker: str) -> str:
    """A cell that leaves processes behind, one of them detached."""
    sleeper = f"[sys.executable, '-c', 'import time; time.sleep(600)', {marker!r}]"
    return (
        f"import subprocess, sys\na = subprocess.Popen({sleeper})\n"
        f"b = subprocess.Popen({sleeper}, start_new_session=True)"
    )


def test_close_leaves_no_process_and_no_folder(laboratory: Laboratory, scratch: Path) -> None:
    """Children end with their kernel, detached ones too, and its folder goes."""
    marker = uuid.uuid4().hex
    with laboratory.kernel() as cell:
        assert cell(spawn_code(marker)).status == "ok"
        cell("import os; os.makedirs('d/e'); os.chmod('d', 0)")
        assert both_up(marker)
        assert len(list(scratch.iterdir())) == (laboratory.kind in {"landlock", "trusted"})
    assert processes(marker) == []
    assert list(scratch.iterdir()) == []


def test_folders_nested_without_end_go_too(laboratory: Laboratory, scratch: Path) -> None:
    """Deeper than a recursion, a path and the open files allow, links in between: all removed, and nothing else."""
    kept = scratch.parent / f"{scratch.name}-kept"
    kept.mkdir()
    try:
        with laboratory.kernel() as cell:
            code = (
                f"import os\nfor i in range(1200):\n  if i < 3: os.symlink({str(kept)!r}, 'link')\n"
                "  os.mkdir('d'); os.chdir('d')\n"
                "os.chdir('/'); os.chmod(os.environ['HOME'], 0)"
            )
            assert cell(code).status == "ok"
        assert list(scratch.iterdir()) == []
        assert kept.exists()
    finally:
        kept.rmdir()


def test_close_twice_is_fine_and_a_closed_kernel_is_dead(laboratory: Laboratory) -> None:
    """Closing is final, and may be asked for again."""
    with laboratory.kernel() as cell:
        laboratory.run(cell.kernel.close())
        laboratory.run(cell.kernel.close())
        with pytest.raises(KernelDied):
            cell("1")


@pytest.mark.parametrize("delay_s", [0.0, 0.005, 0.02, 0.1, 0.3])
def test_cancelled_start_leaves_nothing(laboratory: Laboratory, scratch: Path, delay_s: float) -> None:
    """Whenever a start is cancelled, its process and folder go."""

    async def scenario() -> None:
        async with open_pool(laboratory.kind, 1) as pool:
            start = asyncio.create_task(pool.kernel(KernelSettings()).__aenter__())
            await asyncio.sleep(delay_s)
            start.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await start

    laboratory.run(scenario())
    assert nobody_in(scratch)
    assert list(scratch.iterdir()) == []


def test_cancelled_user_leaves_nothing(laboratory: Laboratory, scratch: Path) -> None:
    """A task that is cancelled in the middle of a cell closes its kernel on the way out."""
    marker = uuid.uuid4().hex

    async def scenario() -> None:
        async with open_pool(laboratory.kind, 1) as pool, pool.kernel(KernelSettings()) as kernel:
            await kernel.execute(spawn_code(marker))
            await kernel.execute("import time; time.sleep(600)")

    async def cancel_it() -> None:
        task = asyncio.create_task(scenario())
        assert await asyncio.to_thread(both_up, marker)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    laboratory.run(cancel_it())
    assert processes(marker) == []
    assert list(scratch.iterdir()) == []


def test_start_that_takes_too_long_fails_and_leaves_nothing(laboratory: Laboratory, scratch: Path) -> None:
    """The error says how long was waited."""
    settings = KernelSettings(limits=Limits(start_timeout_s=0.001))
    with pytest.raises(KernelStartError, match=r"0\.001 s"), laboratory.kernel(settings):
        pass
    assert nobody_in(scratch)
    assert list(scratch.iterdir()) == []


def test_kernel_that_cannot_start_says_why(laboratory: Laboratory, scratch: Path) -> None:
    """What went wrong in the new process is in the error."""

    async def scenario() -> None:
        async with open_pool(laboratory.kind, 1) as pool:
            with pytest.raises(KernelStartError, match=r"did not come up: it failed: .*Error"):
                await pool.kernel(KernelSettings(limits=Limits(memory_bytes=0))).__aenter__()

    laboratory.run(scenario())
    assert list(scratch.iterdir()) == []


PROGRAM = """
import asyncio, sys
from cellwright.kernels import KernelSettings, LocalPool

async def main():
    async with LocalPool(1, rung={rung!r}, preload=()) as pool, pool.kernel(KernelSettings()) as kernel:
        await kernel.execute({code!r})
        sys.stdout.write("up\\n")
        sys.stdout.flush()
        await kernel.execute("while True: pass")

asyncio.run(main())
"""


@contextlib.contextmanager
def another_program(laboratory: Laboratory, code: str, scratch: Path) -> Iterator["subprocess.Popen[str]"]:
    """A program that runs `code` in a kernel, then an endless cell. It is killed in the end, if not before."""
    program = PROGRAM.format(rung=laboratory.kind, code=code)
    environment = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as user:
        try:
            assert user.stdout is not None
            assert user.stdout.readline() == "up\n"
            yield user
        finally:
            user.kill()


def test_nothing_outlives_a_killed_program(laboratory: Laboratory, scratch: Path) -> None:
    """kill -9 of the program that uses a kernel ends the kernel and what it started, and its folders go."""
    marker = uuid.uuid4().hex
    with another_program(laboratory, spawn_code(marker), scratch) as user:
        others = descendants(user.pid)
        assert len(others) >= 3  # the template, the sandbox's first process, the kernel
        # What was just started may not have its name yet.
        deadline = time.monotonic() + 5
        while len(started := set(processes(marker)) - {user.pid}) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(started) == 2
        user.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 5
    while (any(map(alive, others)) or list(scratch.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(map(alive, others))
    assert list(scratch.iterdir()) == []
    assert gone(marker)


def test_folders_that_nobody_claims_go_with_the_next_pool(laboratory: Laboratory, scratch: Path) -> None:
    """What a machine that lost its power left is removed, and what belongs to a living kernel is not."""
    left = scratch / "cellwright-kernel-left"
    left.mkdir()
    with another_program(laboratory, "1", scratch):
        mine = set(scratch.iterdir())
        for folder in mine:
            os.utime(folder, (0, 0))
        assert _folders_beside_a_new_kernel(laboratory, scratch) == mine - {left}


def _folders_beside_a_new_kernel(laboratory: Laboratory, scratch: Path) -> set[Path]:
    """Folders that stand there while a new pool has a kernel, without that kernel's own."""
    before = set(scratch.iterdir())

    async def scenario() -> set[Path]:
        async with open_pool(laboratory.kind, 1) as pool, pool.kernel(KernelSettings()):
            return before & await asyncio.to_thread(lambda: set(scratch.iterdir()))

    return laboratory.run(scenario())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_pool_makes_the_next_one_wait(laboratory: Laboratory) -> None:
    """With room for one, two users take turns."""
    most = now = 0

    async def scenario() -> None:
        async def use() -> None:
            nonlocal most, now
            async with pool.kernel(KernelSettings()) as kernel:
                now += 1
                most = max(most, now)
                assert (await kernel.execute("1")).status == "ok"
                now -= 1

        async with open_pool(laboratory.kind, 1) as pool:
            await asyncio.gather(use(), use(), use())

    laboratory.run(scenario())
    assert most == 1


def test_kernels_of_a_pool_work_side_by_side(laboratory: Laboratory) -> None:
    """Each has its own state and its own folder."""

    async def scenario() -> list[str]:
        async def use(number: int) -> str:
            async with pool.kernel(KernelSettings()) as kernel:
                await kernel.execute(f"n = {number}; open('n', 'w').write(str(n))")
                await asyncio.sleep(0.1)
                return (await kernel.execute("print(n, open('n').read())")).stdout

        async with open_pool(laboratory.kind, 3) as pool:
            return await asyncio.gather(*(use(n) for n in range(3)))

    assert laboratory.run(scenario()) == ["0 0\n", "1 1\n", "2 2\n"]


def test_closed_pool_ends_its_kernels_and_gives_no_more(laboratory: Laboratory, scratch: Path) -> None:
    """A cell that runs while its pool is closed is "dead"; a later request is refused."""

    async def scenario() -> str:
        async with open_pool(laboratory.kind, 1) as pool:
            async with pool.kernel(KernelSettings()) as kernel:
                run = asyncio.create_task(kernel.execute("import time; time.sleep(60)"))
                await asyncio.sleep(0.2)
                await pool.close()
                status = (await run).status
            with pytest.raises(KernelStartError, match="closed"):
                await pool.kernel(KernelSettings()).__aenter__()
            return status

    assert laboratory.run(scenario()) == "dead"
    assert list(scratch.iterdir()) == []


def test_many_cancelled_starts_leave_nothing(laboratory: Laboratory, scratch: Path) -> None:
    """There is no moment in the making of a sandbox at which a cancelled start leaves a part of it behind."""

    async def start_and_cancel(pool: LocalPool, delay_s: float) -> None:
        start = asyncio.create_task(pool.kernel(KernelSettings()).__aenter__())
        await asyncio.sleep(delay_s)
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await start

    async def scenario() -> None:
        async with open_pool(laboratory.kind, 4) as pool:
            for step in range(0, 60, 4):
                await asyncio.gather(*(start_and_cancel(pool, (step + n) / 2000) for n in range(4)))

    laboratory.run(scenario())
    assert nobody_in(scratch)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("delay_s", [0.0, 0.05, 0.2])
def test_pool_closed_while_a_kernel_starts_says_so(laboratory: Laboratory, scratch: Path, delay_s: float) -> None:
    """Whoever waits for the kernel is told, and nothing is left."""

    async def scenario() -> None:
        async with open_pool(laboratory.kind, 1) as pool:
            start = asyncio.create_task(pool.kernel(KernelSettings()).__aenter__())
            await asyncio.sleep(delay_s)
            await pool.close()
            with pytest.raises(KernelStartError, match="closed"):
                await start

    laboratory.run(scenario())
    assert list(scratch.iterdir()) == []


def test_interpreter_that_is_none_is_named(laboratory: Laboratory) -> None:
    """A wrong path of a Python is said in the error."""
    del laboratory
    with pytest.raises(KernelStartError, match="no-such-python"):
        asyncio.run(_start_with("/no-such-python"))


async def _start_with(python: str) -> None:
    async with LocalPool(1, rung="trusted", pythons={MODERN: python}) as pool, pool.kernel(KernelSettings()):
        os.abort()
