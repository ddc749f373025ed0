"""Environments of other years: found or refused in one line, and kernels of several from one pool."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from cellwright.core.errors import KernelStartError, NoSandbox, UsageError
from cellwright.core.types import MODERN
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.kernels.eras import create, default_folder, find_era, find_eras, is_made, pythons, shipped
from cellwright.kernels.eras.shipped import MARK
from cellwright.kernels.isolation import best_rung
from tests.eras import PANDAS_1_5, other_environment


def script(path: Path, text: str) -> Path:
    """An executable that is no Python, and says this."""
    path.write_text(f"#!/bin/sh\necho '{text}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person who runs the tests has installed does not count."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


def test_a_python_is_found_by_path(tmp_path: Path) -> None:
    """A folder of an environment and its Python name the same interpreter, which says what it holds."""
    folder = other_environment(tmp_path / "env")
    by_folder, by_python = find_era(f"old={folder}"), find_era(f"old={folder}/bin/python")
    assert by_folder == by_python
    assert by_folder.python == str(folder / "bin" / "python")
    assert by_folder.versions.startswith(f"python {sys.version.split()[0]}, pandas ")
    assert pythons([by_folder]) == {MODERN: sys.executable, "old": by_folder.python}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("pandas-15", "there is no environment 'pandas-15': did you mean 'pandas-1.5'?"),
        ("tensorflow", "known are pandas-1.5; for one of your own, give tensorflow=PATH"),
        (PANDAS_1_5, "not installed here: cellwright environment create pandas-1.5"),
        ("old=/no/such/python", "has no interpreter at /no/such/python"),
        ("old=/bin/true", "cannot be run as a Python 3"),
        ("old={early}", "has Python 3.9.1, and kernels need 3.11 or newer"),
        ("old={bare}", "has no ipykernel: {bare}/bin/python -m pip install"),
        ("old={outdated}", "has ipykernel 6.29.0, and kernels need 7.1 or newer"),
        ("modern", "always there"),
        ("/usr/bin/python3", "names no environment: give NAME, or NAME=PATH"),
        ("old=", "names no environment"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(told: str, said: str, tmp_path: Path) -> None:
    """An unknown name, a missing interpreter, one too old, one without ipykernel: what is wrong, and what to do."""
    bare = tmp_path / "bare"
    if "bare" in told:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    early = script(tmp_path / "early", '{"python": "3.9.1", "packages": {}}')
    outdated = script(tmp_path / "outdated", '{"python": "3.12.1", "packages": {"ipykernel": "6.29.0"}}')
    places = {"bare": bare, "early": early, "outdated": outdated}
    with pytest.raises(UsageError) as refused:
        find_era(told.format(**places))
    assert said.format(**places) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_name_stands_for_one_environment(tmp_path: Path) -> None:
    """The same name twice is a mistake."""
    folder = other_environment(tmp_path / "env")
    with pytest.raises(UsageError, match="named twice"):
        find_eras([f"old={folder}", f"old={folder}/bin/python"])


def test_what_cannot_be_created_leaves_nothing(tmp_path: Path) -> None:
    """A wrong name, a folder with something else, a Python of another version: refused, and nothing is written."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("")
    early = script(tmp_path / "early", "no python")
    with pytest.raises(UsageError, match=r"known are pandas-1\.5"):
        create("pandas-0.1")
    with pytest.raises(UsageError, match="holds something else: choose another folder"):
        create(PANDAS_1_5, into=tmp_path / "mine")
    with pytest.raises(UsageError, match="cannot be run as a Python"):
        create(PANDAS_1_5, python=str(early), into=tmp_path / "new")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.tex"]
    assert not (tmp_path / "new").exists()


def test_half_an_environment_is_none(tmp_path: Path) -> None:
    """What was not installed to its end, or from another lock, is not found by its name."""
    folder = default_folder(PANDAS_1_5)
    assert folder.is_relative_to(tmp_path)
    other_environment(folder)
    for lock_hash in ("", "0" * 64):
        (folder / MARK).write_text(f'{{"era": "pandas-1.5", "lock_hash": "{lock_hash}"}}')
        with pytest.raises(UsageError, match="not installed here"):
            find_era(PANDAS_1_5)
    (folder / MARK).write_text(f'{{"era": "pandas-1.5", "lock_hash": "{shipped()[PANDAS_1_5].lock_hash}"}}')
    assert is_made(shipped()[PANDAS_1_5], folder)
    assert find_era(PANDAS_1_5).python == str(folder / "bin" / "python")


def test_every_lock_holds_what_was_asked_for() -> None:
    """A lock names each package of its row in eras.toml, in the version that stands there."""
    for era in shipped().values():
        pins = dict(line.lower().split("==") for line in era.lock.splitlines() if not line.startswith("#"))
        for wanted in era.requires:
            name, _, version = wanted.replace(">=", "==").partition("==")
            assert name in pins, f"make lock-eras: {era.name} has no {name}"
            assert ">=" in wanted or pins[name] == version
        assert f"#   {era.requires[0]}" in era.lock


def test_one_pool_hands_out_kernels_of_several_environments(tmp_path: Path) -> None:
    """Each kernel has the packages of the environment that was asked for; one that the pool does not know is named."""
    eras = find_eras([f"old={other_environment(tmp_path / 'env')}"])
    try:
        rung = best_rung(sys.executable)
    except NoSandbox:
        rung = "trusted"

    async def job() -> list[str]:
        async with LocalPool(1, rung=rung, pythons=pythons(eras), preload=()) as pool:
            statuses: list[str] = []
            for era in ("old", MODERN):
                async with pool.kernel(KernelSettings(era=era)) as kernel:
                    statuses.append((await kernel.execute("import gone_since")).status)
            with pytest.raises(KernelStartError, match="no environment 'older'; it has modern, old"):
                async with pool.kernel(KernelSettings(era="older")):
                    pass
            return statuses

    assert asyncio.run(job()) == ["ok", "error"]
