"""The eras that ship with Cellwright, and where `cellwright environment create` puts them."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from cellwright.core.hashing import sha256_bytes

MARK = "cellwright-environment.json"
"""File in an environment's folder that says which lock it was installed from."""


@dataclass(frozen=True)
class ShippedEra:
    """A row of `eras.toml`, with its lock."""

    name: str
    python: str
    """Major and minor version that the lock was made for."""
    about: str
    """What it holds, for a person."""
    requires: tuple[str, ...]
    """What was asked for when the lock was made."""
    lock: str = ""
    """Text of the lock file: every package with its version, as pip takes it."""

    @property
    def lock_hash(self) -> str:
        return sha256_bytes(self.lock.encode())


@dataclass(frozen=True)
class Mark:
    """What an environment's folder says of itself."""

    era: str
    lock_hash: str
    """Of the lock that was installed to its end; empty while that has not been reached."""


@cache
def shipped() -> Mapping[str, ShippedEra]:
    """By name."""
    here = files(__package__)
    rows = tomllib.loads(here.joinpath("eras.toml").read_text("utf-8"))
    return {name: msgspec.convert({**row, "name": name, "lock": _lock(name)}, ShippedEra) for name, row in rows.items()}


def _lock(name: str) -> str:
    file = files(__package__).joinpath(f"{name}.txt")
    return file.read_text("utf-8") if file.is_file() else ""


def default_folder(name: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Where an environment stands unless it was put elsewhere: with the data of the person's other programs
    (https://specifications.freedesktop.org/basedir-spec/latest/)."""
    home = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "cellwright" / "environments" / name


def read_mark(folder: Path) -> Mark | None:
    """What a folder says of itself; None for one that is not ours."""
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Mark)
    except (OSError, msgspec.DecodeError):
        return None


def is_made(era: ShippedEra, folder: Path) -> bool:
    """Whether a folder holds an era, installed to the end, from the lock that ships today."""
    return read_mark(folder) == Mark(era.name, era.lock_hash)
