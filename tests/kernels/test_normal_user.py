"""What holds as root holds for a normal user: the tests of hostile code and of limits, run as one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_HERE = Path(__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="the tests are run by a normal user already")
def test_hostile_code_is_contained_for_a_normal_user_too() -> None:
    """On both rungs that need no root, with attacks that matter most where all kernels have one user."""
    chosen = "signals or slowed or of_the_machine or rights or descriptors_on or looked or together"
    command = [sys.executable, str(_HERE / "as_user.py"), sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    command += ["-k", chosen, str(_HERE / "test_hostile.py"), str(_HERE / "test_limits.py")]
    environment = {**os.environ, "HOME": "/tmp", "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=_HERE.parents[1], env=environment, timeout=280
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
