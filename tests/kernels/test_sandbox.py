"""What a sandboxed kernel cannot do."""

import asyncio
import os
import sys
import sysconfig
from pathlib import Path

import pytest

from cellwright.core.errors import NoSandbox
from cellwright.core.types import MODERN
from cellwright.kernels import KernelSettings, LocalPool, isolation

from .bench import Bench, Laboratory


def environment_of_links(folder: Path) -> Path:
    """A virtual environment whose Python is a chain of links, and whose packages stand elsewhere."""
    packages = folder / f"venv/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    packages.mkdir(parents=True)
    (folder / "venv/lib64").symlink_to("lib")
    (folder / "elsewhere").symlink_to(folder / "far")
    (folder / "far").mkdir()
    (folder / "far/site-packages").symlink_to(sysconfig.get_path("purelib"))
    (packages / "elsewhere.pth").write_text(f"{folder}/elsewhere/site-packages\n{folder}/project\n")
    (folder / "project").mkdir()
    program = os.path.realpath(sys.executable)
    (folder / "venv/pyvenv.cfg").write_text(f"home = {Path(program).parent}\ninclude-system-site-packages = false\n")
    for name in ("third", "second", "venv/bin"):
        (folder / name).mkdir()
        (folder / name / "python").symlink_to(program)
        program = f"{folder}/{name}/python"
    return Path(program)


def test_python_behind_a_chain_of_links_is_found(tmp_path: Path) -> None:
    """However a virtual environment points to its Python and its packages, the kernel has both and no more."""
    code = f"import pandas, sys, os; os.path.exists({str(tmp_path / 'project')!r}), sys.prefix"

    async def scenario() -> str:
        pool = LocalPool(1, pythons={MODERN: str(environment_of_links(tmp_path))})
        async with pool, pool.kernel(KernelSettings()) as kernel:
            result = await kernel.execute(code, timeout_s=60)
        assert result.status == "ok", result
        return result.outputs[-1].data["text/plain"]

    assert asyncio.run(scenario()) == "(False, '/opt/cellwright/venv')"


@pytest.fixture(autouse=True)
def sandboxed_only(laboratory: Laboratory) -> None:
    if laboratory.kind in ("trusted", "landlock"):
        pytest.skip("only namespaces promise this")


def failure(cell: Bench, code: str) -> str:
    """Class of the exception that `code` ended with."""
    error = cell(code).error
    return error.name if error else "none"


def test_work_folder_has_a_fixed_name(cell: Bench) -> None:
    """Paths in outputs are the same on every machine."""
    assert cell.value("import os; os.getcwd(), os.path.expanduser('~')") == "('/home/analyst', '/home/analyst')"
    assert cell.value("import sys; sys.prefix.startswith(('/opt/', '/usr'))") == "True"


def test_tracebacks_name_no_folder_of_the_machine(cell: Bench) -> None:
    """A failure deep in a library shows where the library stands in the sandbox only."""
    error = cell("import json; json.loads('{')").error
    assert error is not None
    text = "\n".join(error.traceback)
    assert "decoder.py" in text
    assert str(Path(__file__).parents[2]) not in text
    assert str(Path.home()) not in text


def test_files_of_the_machine_are_hidden(cell: Bench) -> None:
    """Neither the person's folders nor the machine's accounts can be read."""
    hidden = [str(Path.home()), "/root", "/var", "/mnt", str(Path(__file__).parents[2])]
    assert cell.value(f"import os; [p for p in {hidden!r} if os.path.exists(p)]") == "[]"
    assert cell.value("sorted(name for name in os.listdir('/home') if name[0] != '.')") == "['analyst', 'input', 'tmp']"
    assert cell.value("len(open('/etc/passwd').readlines())") == "2"
    assert failure(cell, "open('/etc/shadow')") == "FileNotFoundError"


def test_table_is_read_only(cell: Bench) -> None:
    """The kernel cannot change or remove a table."""
    for code in ("open('data/x.csv', 'a')", "import os; os.unlink('data/x.csv')", "os.chmod('data/x.csv', 0o777)"):
        assert failure(cell, code) in {"OSError", "PermissionError"}


@pytest.mark.parametrize("folder", ["/", "/usr", "/opt/cellwright/python", "/etc", "/dev", "/opt/cellwright"])
def test_system_folders_are_read_only(cell: Bench, folder: str) -> None:
    """Nothing but the work folder and the temporary folder can be written."""
    assert failure(cell, f"open({folder!r} + '/made-here', 'w')") in {"OSError", "PermissionError", "FileNotFoundError"}


def test_there_is_no_network(cell: Bench) -> None:
    """Only a loopback device is there, and nothing of the machine listens on it."""
    for address in ("192.0.2.1", "127.0.0.1"):
        refused = failure(cell, f"import socket; socket.create_connection(({address!r}, 80), timeout=2)")
        assert refused in {"OSError", "PermissionError"}
    assert failure(cell, "socket.getaddrinfo('example.org', 80)") == "gaierror"


def test_other_processes_are_hidden(cell: Bench) -> None:
    """A kernel sees its own processes and can signal no others."""
    assert cell.value("import os; max(int(p) for p in os.listdir('/proc') if p.isdigit()) < 2000") == "True"
    assert cell.value("'x.csv' in open('/proc/1/cmdline').read()") == "False"


def test_privileges_cannot_be_had(cell: Bench) -> None:
    """There are no capabilities, and a new user namespace gives none."""
    assert cell.value("[l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')]") == (
        "['0000000000000000']"
    )
    assert (
        cell.value("import subprocess; subprocess.run(['mount', '-t', 'tmpfs', 'x', '/tmp'], stderr=-3).returncode")
        != "0"
    )
    assert cell.value("import os; os.getuid()") == "1000"


def test_wiping_everything_wipes_the_work_folder_only(laboratory: Laboratory, table: Path) -> None:
    """`rm -rf` of home and root leaves the interpreter, the table and the machine as they were."""
    with laboratory.kernel() as cell:
        # Not all of /usr and the libraries: to refuse each of their files takes the system seconds.
        places = "~/* /[!uo]* /usr/bin /opt/*/kernel /opt/*/venv/bin"
        cell(f"open('mine', 'w').close()\n!rm -rf --no-preserve-root {places} 2>/dev/null")
        assert cell.value("import os, sys; os.path.exists('mine'), os.path.exists(sys.executable)") == "(False, True)"
        assert cell.value("import sqlite3; 1") == "1"
    assert table.exists()


def test_machine_without_any_rung_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what each rung lacks, and how to go without."""
    monkeypatch.setattr(isolation, "complaints", lambda _: {"root": "not root", "user namespaces": "No permissions"})
    with pytest.raises(NoSandbox, match=r"^.*No permissions.*--trusted.*$"):
        LocalPool(1)


def test_rung_that_is_asked_for_is_not_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weaker rung than the one asked for is never taken in silence."""
    monkeypatch.setattr(isolation, "complaints", lambda _: {"root": "not root", "user namespaces": ""})
    with pytest.raises(NoSandbox, match="root on this machine: not root"):
        LocalPool(1, rung="root")


def test_tables_stand_where_kaggle_has_them(cell: Bench) -> None:
    """Under /data, /kaggle/input and ../input; and /kaggle/working is the work folder."""
    places = ["/data/x.csv", "/kaggle/input/x.csv", "../input/x.csv", "/kaggle/working/data/x.csv"]
    assert cell.value(f"len({{open(place).read() for place in {places!r}}})") == "1"
    assert failure(cell, "open('/kaggle/input/new', 'w').close(); open('/data/x.csv', 'w')") != "none"
