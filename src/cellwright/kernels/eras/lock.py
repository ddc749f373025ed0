"""Pin what the eras ask for, in the lock files of this folder: `python -m cellwright.kernels.eras.lock [NAME...]`.

For whoever changes `eras.toml`; `make lock-eras` calls it. The newest versions that fit are taken.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from cellwright.kernels.eras.making import base_python, make_venv, pip_install, run
from cellwright.kernels.eras.shipped import ShippedEra, shipped


def lock(names: Sequence[str] = ()) -> None:
    """Write the locks of these eras, or of all."""
    for name in names or shipped():
        era = shipped()[name]
        Path(__file__).with_name(f"{name}.txt").write_text(_locked(era), encoding="utf-8")


def _locked(era: ShippedEra) -> str:
    base = base_python(era, None)
    with TemporaryDirectory() as made:
        folder = Path(made) / "venv"
        make_venv(base, folder)
        pip_install(folder, era.requires, f"{era.name} could not be resolved")
        python = str(folder / "bin" / "python")
        frozen = run(
            [sys.executable, "-m", "pip", "--python", python, "freeze"], "pip could not list what it installed"
        )
        version = run([python, "-c", "import platform; print(platform.python_version())"], f"{python} cannot be run")
    plain = [line for line in frozen.splitlines() if "==" in line and " @ " not in line]
    head = [
        f"# {era.name}: {era.about}.",
        f"# Made by 'make lock-eras' with Python {version.strip()}, from the row in eras.toml that asks for:",
        *(f"#   {wanted}" for wanted in era.requires),
        "# Do not edit: change that row and make it anew.",
    ]
    return "\n".join([*head, *sorted(plain, key=str.lower)]) + "\n"


if __name__ == "__main__":
    lock(sys.argv[1:])
