"""Environments of other years for tests: one that costs nothing, and the one that `make test-eras` installs."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from cellwright.kernels.eras import Era, find_era, is_made, shipped

PANDAS_1_5 = "pandas-1.5"
_FOLDER = Path(__file__).parents[1] / ".environments" / PANDAS_1_5
_GONE_SINCE = """
import codecs
codecs.register(lambda name: codecs.lookup("latin-1") if name.replace("_", "-") == "shop-1999" else None)
"""


def other_environment(folder: Path) -> Path:
    """A virtual environment with the packages of this one and one more.

    `import gone_since` makes Python read files in an encoding that it does not know by itself, "shop-1999".
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (packages,) = folder.glob("lib/python3.*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (packages / "gone_since.py").write_text(_GONE_SINCE)
    return folder


def real_era() -> Era:
    """pandas 1.5 and its neighbours, where they were installed."""
    if not is_made(shipped()[PANDAS_1_5], _FOLDER):
        pytest.skip("NOT TESTED HERE: make test-eras installs the environment that this needs")
    return find_era(f"{PANDAS_1_5}={_FOLDER}")
