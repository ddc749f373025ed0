"""Finds an era by its name, or by name and path, and asks its interpreter what it holds. Nothing is installed."""

import difflib
import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cellwright.core.errors import UsageError
from cellwright.core.hashing import short_id
from cellwright.core.types import MODERN
from cellwright.kernels.eras.shipped import default_folder, is_made, shipped

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_OLDEST_PYTHON, _OLDEST_IPYKERNEL = (3, 11), (7, 1)
_TOLD = ("pandas", "numpy", "scipy", "scikit-learn", "matplotlib")
_PROBE_TIMEOUT_S = 30.0
_ASK = """
import importlib.metadata, json, platform
found = {d.metadata["Name"].lower(): d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps({"python": platform.python_version(), "packages": found}))
"""


@dataclass(frozen=True)
class Era:
    """A kernel environment that can be used."""

    name: str
    python: str
    """Path of its interpreter."""
    versions: str
    """Of Python and the main libraries, for a person: "python 3.11.7, pandas 1.5.3"."""
    state: str
    """A hash of all its packages with their versions: results of another state are not its own."""


def find_era(told: str) -> Era:
    """The era for NAME, one that `create` installed, or NAME=PATH, with a Python or the folder of its environment.

    Raises UsageError, with what to do, where there is none that could run kernels.
    """
    name, sign, path = told.strip().partition("=")
    if _NAME.fullmatch(name) is None or (sign and not path):
        raise UsageError(
            f"{told!r} names no environment: give NAME, or NAME=PATH with the path of a Python; a name has small "
            "letters, digits, dots and dashes"
        )
    if name == MODERN:
        raise UsageError(f"{MODERN!r} is the environment of this installation; it is always there and needs no mention")
    return _probed(name, _interpreter_at(name, path) if sign else _interpreter_of(name))


def find_eras(told: Iterable[str]) -> tuple[Era, ...]:
    """An era for each, in order. Raises UsageError, also for a name that is given twice."""
    found: dict[str, Era] = {}
    for text in told:
        era = find_era(text)
        if era.name in found:
            raise UsageError(f"the environment {era.name!r} is named twice; give the second one another name")
        found[era.name] = era
    return tuple(found.values())


def pythons(eras: Sequence[Era] = ()) -> Mapping[str, str]:
    """Name to interpreter of these and of this installation, as a pool of kernels wants them."""
    return {MODERN: sys.executable, **{era.name: era.python for era in eras}}


def _interpreter_at(name: str, path: str) -> str:
    place = Path(path).expanduser().absolute()
    if place.is_dir():
        place = place / "bin" / "python"
    if not place.is_file():
        raise UsageError(f"the environment {name!r} has no interpreter at {place}: name its Python, or its folder")
    return str(place)


def _interpreter_of(name: str) -> str:
    known = shipped()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)};"
        raise UsageError(
            f"there is no environment {name!r}: {hint} for one of your own, give {name}=PATH of its Python"
        )
    folder = default_folder(name)
    if not is_made(known[name], folder):
        raise UsageError(f"the environment {name!r} is not installed here: cellwright environment create {name}")
    return str(folder / "bin" / "python")


@cache
def _probed(name: str, python: str) -> Era:
    try:
        answer = subprocess.run(
            [python, "-I", "-c", _ASK], capture_output=True, text=True, check=True, timeout=_PROBE_TIMEOUT_S
        )
        told = json.loads(answer.stdout)
        version, packages = str(told["python"]), dict(told["packages"])
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise UsageError(f"the environment {name!r}: {python} cannot be run as a Python 3: {error}") from error
    if _numbers(version) < _OLDEST_PYTHON:
        raise UsageError(f"the environment {name!r} has Python {version}, and kernels need 3.11 or newer: {python}")
    ipykernel = str(packages.get("ipykernel", ""))
    if _numbers(ipykernel) < _OLDEST_IPYKERNEL:
        has = f"has ipykernel {ipykernel}, and kernels need 7.1 or newer" if ipykernel else "has no ipykernel"
        raise UsageError(f"the environment {name!r} {has}: {python} -m pip install 'ipykernel>=7.1'")
    libraries = [f"{library} {packages[library]}" for library in _TOLD if library in packages]
    state = short_id(version, *(f"{package}=={packages[package]}" for package in sorted(packages)))
    return Era(name, python, ", ".join([f"python {version}", *libraries]), state)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
