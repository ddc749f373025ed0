"""Reaching the host from a client: found where it listens, started where it does not."""

import contextlib
import fcntl
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cellwright
from cellwright.core.errors import KernelStartError
from cellwright.core.hashing import short_id

_READY_TIMEOUT_S = 30.0


def connect() -> socket.socket:
    """A connection to this person's host. Raises KernelStartError."""
    path = host_path()
    with contextlib.suppress(OSError):
        return _connected(path)
    with _locked(path.with_name(f"{path.name}.lock")):
        with contextlib.suppress(OSError):
            return _connected(path)
        log = path.with_name(f"{path.name}.log")
        command = [sys.executable, "-m", "cellwright.kernels.jupyter.host", str(path)]
        with log.open("ab") as words, contextlib.suppress(OSError, subprocess.TimeoutExpired):
            # It ends when the host listens.
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                cwd="/",
                check=False,
                timeout=_READY_TIMEOUT_S,
            )
        with contextlib.suppress(OSError):
            return _connected(path)
    raise KernelStartError(f"the host of kernels did not start; it said, in {log}: {_end_of(log)}")


def host_path() -> Path:
    """Where the host listens: another version, or another environment, has one of its own. Raises KernelStartError."""
    name = short_id(cellwright.__version__, sys.prefix, str(Path(cellwright.__file__).parent))
    return runtime_folder() / f"host-{name}"


def runtime_folder() -> Path:
    """A folder of this person alone. Raises KernelStartError for one that others could write to."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(base) / "cellwright" if base else Path(tempfile.gettempdir()) / f"cellwright-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077 or not stat.S_ISDIR(found.st_mode):
        raise KernelStartError(f"{folder} must be a folder that only you can use (mode 0700); remove it")
    return folder


def _connected(path: Path) -> socket.socket:
    found = socket.socket(socket.AF_UNIX)
    try:
        found.connect(str(path))
    except OSError:
        found.close()
        raise
    return found


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _end_of(path: Path) -> str:
    return path.read_text(errors="replace")[-1000:].strip() or "nothing"
