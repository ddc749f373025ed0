"""Installs an era that ships with Cellwright: a virtual environment with exactly what its lock names."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from cellwright.core.errors import KernelStartError, UsageError
from cellwright.kernels.eras.finding import Era, find_era
from cellwright.kernels.eras.shipped import MARK, Mark, ShippedEra, default_folder, is_made, read_mark, shipped
from cellwright.kernels.interpreter import interpreter

_TIMEOUT_S = 1800.0
_LAST_LINES = 5


def create(name: str, *, python: str | None = None, into: Path | None = None) -> Era:
    """Install an era, by default where it is found by its name; one that is there already stays as it is.

    `python` is the interpreter that it is made from, of the version that the lock was made for; without it, one is
    looked for. Raises UsageError, and then leaves no half of it behind.
    """
    era = shipped().get(name)
    if era is None:
        raise UsageError(f"there is no environment {name!r} to create; known are {', '.join(shipped())}")
    folder = (into or default_folder(name)).expanduser().absolute()
    if not is_made(era, folder):
        _make_room(folder)
        base = base_python(era, python)
        try:
            _write_mark(folder, Mark(name, ""))
            make_venv(base, folder)
            _install_lock(era, folder)
            _write_mark(folder, Mark(name, era.lock_hash))
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return find_era(f"{name}={folder}")


def base_python(era: ShippedEra, python: str | None) -> str:
    """The interpreter to make an era from. Raises UsageError where it is none, or not of the era's version."""
    for candidate in [python] if python else _pythons(era.python):
        try:
            version = interpreter(candidate).version
        except KernelStartError as error:
            if python:
                raise UsageError(str(error)) from error
            continue
        if version == era.python:
            return candidate
        if python:
            raise UsageError(f"{era.name} needs Python {era.python}, and {python} is {version}")
    raise UsageError(
        f"{era.name} needs Python {era.python}, and none is on the path: install it, or name it with --python"
    )


def _pythons(version: str) -> Iterator[str]:
    """This interpreter, then what is called by that version on the path."""
    yield sys.executable
    for folder in os.get_exec_path():
        candidate = Path(folder, f"python{version}")
        if candidate.is_file() and os.access(candidate, os.X_OK):
            yield str(candidate)


def make_venv(base: str, folder: Path) -> None:
    """A virtual environment without pip: ours installs into it. Raises UsageError."""
    run([base, "-m", "venv", "--without-pip", str(folder)], f"{base} cannot make a virtual environment")


def _install_lock(era: ShippedEra, folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as lock:
        lock.write(era.lock)
        lock.flush()
        pip_install(folder, ["--no-deps", "--requirement", lock.name], f"{era.name} could not be installed")


def pip_install(folder: Path, wanted: Sequence[str], problem: str) -> None:
    """Install packages into an environment: wheels only, so that no code runs on the way. Raises UsageError."""
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "--disable-pip-version-check"]
    run([*pip, "install", "--quiet", "--no-input", "--only-binary=:all:", *wanted], problem)


def run(command: Sequence[str], problem: str) -> str:
    """What a command prints. Raises UsageError with the problem and the last that it said."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S, env=_environment()
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"{problem}: {error}") from error
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
        raise UsageError("\n".join([f"{problem}:", *(said or [f"exit code {done.returncode}"])[-_LAST_LINES:]]))
    return done.stdout


def _environment() -> Mapping[str, str]:
    """Ours, without constraints on packages: they are this installation's, and the lock is another's."""
    return {name: value for name, value in os.environ.items() if name not in ("PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")}


def _make_room(folder: Path) -> None:
    """Take away what is left of an environment of ours. Raises UsageError where anything else is in the way."""
    if read_mark(folder) is not None:
        shutil.rmtree(folder)
    with contextlib.suppress(FileNotFoundError):
        try:
            if any(folder.iterdir()):
                raise UsageError(f"{folder} holds something else: choose another folder with --into")
        except NotADirectoryError:
            raise UsageError(f"{folder} is a file: choose another folder with --into") from None


def _write_mark(folder: Path, mark: Mark) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_bytes(msgspec.json.encode(mark))
    except OSError as error:
        raise UsageError(f"cannot write to {folder}: {error.strerror or error}; choose another with --into") from None
