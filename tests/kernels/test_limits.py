"""Each limit ends in its own clear result, which names it and its value, for all processes of a kernel together."""

import asyncio

import pytest

from cellwright.core.errors import KernelDied
from cellwright.core.types import CellResult
from cellwright.kernels import KernelSettings, Limits

from .bench import Bench, Laboratory


def assert_ended_by(cell: Bench, result: CellResult, limit: str) -> None:
    """The cell is dead by a limit, and whoever comes later is told by which."""
    assert (result.status, result.ended_by) == ("dead", f"it went over its limit of {limit}")
    with pytest.raises(KernelDied, match=f"limit of {limit}"):
        cell("1")


@pytest.fixture
def sandboxed(laboratory: Laboratory) -> None:
    if laboratory.kind == "trusted":
        pytest.skip("a trusted kernel's processes are not bounded together")


_FAMILY_BOMB = """
import os, time
for _ in range(6):
    if os.fork() == 0:
        block = bytearray(100 << 20)
        for place in range(0, len(block), 4096): block[place] = 1
        time.sleep(60)
time.sleep(60)
"""


@pytest.mark.usefixtures("sandboxed")
def test_memory_of_all_processes_together(laboratory: Laboratory) -> None:
    """Processes that each stay below the limit and together go over it end their kernel."""
    limits = Limits(memory_bytes=300 << 20, disk_bytes=16 << 20)
    with laboratory.kernel(KernelSettings(limits=limits)) as cell:
        result = cell(_FAMILY_BOMB, timeout_s=30)
        assert result.seconds < 20
        assert_ended_by(cell, result, "memory: 300 MiB")


def test_memory_of_one_process(laboratory: Laboratory) -> None:
    """Too large an allocation is a MemoryError that says which limit it met."""
    with laboratory.kernel(KernelSettings(limits=Limits(memory_bytes=300 << 20))) as cell:
        error = cell("x = bytearray(400 << 20)").error
        assert error is not None
        assert (error.name, error.text) == ("MemoryError", "(a limit of this kernel: memory: 300 MiB)")
        assert cell.value("1") == "1"


@pytest.mark.parametrize("block", [20_000_000, 1_000_000, 3000])
def test_cell_that_uses_up_all_memory_is_told_so(laboratory: Laboratory, block: int) -> None:
    """Also when next to nothing is left in which to say it."""
    with laboratory.kernel(KernelSettings(limits=Limits(memory_bytes=200 << 20, disk_bytes=512 << 20))) as cell:
        result = cell(f"blocks = []\nwhile True: blocks.append(bytearray({block}))", timeout_s=20)
        assert result.error is not None, result
        assert result.error.name == "MemoryError"
        assert cell("blocks = None").status == "ok"
        assert cell.value("1") == "1"


_BOMBS = {
    "forks": "import os, time\nfor _ in range(100):\n    if os.fork() == 0: time.sleep(20); os._exit(0)",
    "threads": (
        "import threading, time\n"
        "for _ in range(100): threading.Thread(target=time.sleep, args=(20,), daemon=True).start()"
    ),
    "programs": "import subprocess\nkept = [subprocess.Popen(['sleep', '20']) for _ in range(100)]",
}


@pytest.mark.parametrize("bomb", _BOMBS)
@pytest.mark.usefixtures("sandboxed")
def test_processes_and_threads(laboratory: Laboratory, bomb: str) -> None:
    """One more than allowed is refused, or ends the kernel; both name the limit."""
    with laboratory.kernel(KernelSettings(limits=Limits(processes=40))) as cell:
        result = cell(f"{_BOMBS[bomb]}\nimport time; time.sleep(2)", timeout_s=20)
        if result.status == "error":
            assert result.error is not None
            assert result.error.name in {"BlockingIOError", "RuntimeError"}
            assert result.error.text.endswith("(a limit of this kernel: processes: 40)")
        else:
            assert_ended_by(cell, result, "processes: 40")


_BUSY = {
    "in the kernel": "while True: pass",
    "in children": "import os\nfor _ in range(3): os.fork()\nwhile True: pass",
    "in children that end": (
        "import subprocess, sys\nwhile True: subprocess.run([sys.executable, '-Sc', 'sum(range(10**6))'])"
    ),
    "in orphans": (
        "import os, time\n"
        "while True:\n"
        "    if os.fork() == 0:\n"
        "        if os.fork() == 0: sum(range(10**6))\n"
        "        os._exit(0)\n"
        "    os.wait(); time.sleep(0.01)"
    ),
}


@pytest.mark.parametrize("busy", _BUSY)
def test_processor_time(laboratory: Laboratory, busy: str) -> None:
    """Processor time of all that a kernel starts counts, also of what has ended."""
    with laboratory.kernel(KernelSettings(limits=Limits(cpu_s=0.6))) as cell:
        result = cell(_BUSY[busy], timeout_s=30)
        assert_ended_by(cell, result, "CPU time: 0.6 s")


def test_wall_time(laboratory: Laboratory) -> None:
    """From its start to its end, in a cell or between cells."""
    with laboratory.kernel(KernelSettings(limits=Limits(wall_s=0.7))) as cell:
        result = cell("import time; time.sleep(30)", timeout_s=20)
        assert result.seconds < 5
        assert_ended_by(cell, result, "wall time: 0.7 s")
    with laboratory.kernel(KernelSettings(limits=Limits(wall_s=0.3))) as cell:
        laboratory.run(asyncio.sleep(1.0))
        with pytest.raises(KernelDied, match=r"limit of wall time: 0\.3 s"):
            cell("1")


_FILES = {
    "one file": "open('big', 'wb').write(bytes(12 << 20))",
    "many files": "for i in range(50): open(f'f{i}', 'wb').write(bytes(1 << 20))",
    "nothing but names": "for i in range(20_000): open(f'n{i}', 'w').close()",
}


@pytest.mark.parametrize("files", _FILES)
@pytest.mark.usefixtures("sandboxed")
def test_disk(laboratory: Laboratory, files: str) -> None:
    """Files in all its folders together: one byte more is an OSError, or ends the kernel; both name the limit."""
    if laboratory.kind == "landlock" and files == "nothing but names":
        pytest.skip("on a file system of the machine, empty files take no space that is counted")
    with laboratory.kernel(KernelSettings(limits=Limits(disk_bytes=8 << 20))) as cell:
        result = cell(f"{_FILES[files]}\nimport time; time.sleep(2)", timeout_s=60)
        if result.status == "error":
            assert result.error is not None
            assert result.error.name == "OSError"
            assert result.error.text.endswith("(a limit of this kernel: disk: 8 MiB)")
            assert cell.value("1") == "1"
        else:
            assert_ended_by(cell, result, "disk: 8 MiB")


def test_output(laboratory: Laboratory) -> None:
    """What is over the limit is counted, to the byte, and the cell is as good as any."""
    with laboratory.kernel(KernelSettings(limits=Limits(output_bytes=1000))) as cell:
        result = cell("print('x' * 5000)")
        assert (result.status, len(result.stdout), result.truncated_bytes) == ("ok", 1000, 4001)
        assert cell("print('y' * 10)").truncated_bytes == 0


def test_branch_has_limits_of_its_own(laboratory: Laboratory) -> None:
    """A branch that goes over a limit ends alone, and is told apart from its parent."""
    with laboratory.kernel(KernelSettings(limits=Limits(cpu_s=0.8))) as parent:
        (branch,) = laboratory.run(parent.kernel.branch())
        cell = Bench(laboratory, branch)
        assert_ended_by(cell, cell("while True: pass", timeout_s=30), "CPU time: 0.8 s")
        assert parent.value("1") == "1"
        laboratory.run(branch.close())


def test_limits_cannot_be_raised(laboratory: Laboratory) -> None:
    """The bounds that Linux keeps are hard ones."""
    with laboratory.kernel() as cell:
        code = (
            "import resource\nfound = []\n"
            "for name in ('RLIMIT_DATA', 'RLIMIT_FSIZE', 'RLIMIT_NOFILE', 'RLIMIT_CORE', 'RLIMIT_SIGPENDING'):\n"
            "    kind = getattr(resource, name, 11)\n"
            "    soft, hard = resource.getrlimit(kind)\n"
            "    try: resource.setrlimit(kind, (hard, hard + 1)); found.append(name)\n"
            "    except (ValueError, OSError): pass\n"
            "print(found)"
        )
        if laboratory.kind != "trusted":
            assert cell(code).stdout == "[]\n"
