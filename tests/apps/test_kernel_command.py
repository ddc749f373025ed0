"""`cellwright kernel` as a person types it."""

from pathlib import Path

import pytest

from tests.apps.commands import said


def test_kernel_is_installed_listed_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what it did and what comes next; a name that is not ours is refused in one line."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))
    assert "none; `cellwright kernel install`" in said("kernel", "list").stdout
    done = said("kernel", "install", "--user", "--name", "mine", "--trusted")
    assert done.returncode == 0, done.stderr
    assert "--kernel_name=mine" in done.stdout
    assert (tmp_path / "kernels" / "mine" / "kernel.json").exists()
    assert said("kernel", "list").stdout.startswith("mine  ")
    assert said("kernel", "uninstall", "mine").returncode == 0
    done = said("kernel", "uninstall", "mine")
    assert done.returncode == 2
    assert "there is no kernel 'mine'" in done.stderr
