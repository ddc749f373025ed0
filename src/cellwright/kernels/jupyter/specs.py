"""Kernelspecs that name Cellwright's provisioner: written, listed and removed.

https://jupyter-client.readthedocs.io/en/stable/kernels.html#kernel-specs
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

from cellwright.core.errors import UsageError
from cellwright.kernels.isolation import Rung, best_rung, require
from cellwright.kernels.jupyter.provisioner import NAME
from cellwright.kernels.protocol import Limits


@dataclass(frozen=True)
class Spec:
    """A kernel as people choose it in Jupyter."""

    name: str = "cellwright"
    display_name: str = "Python (Cellwright)"
    python: str = sys.executable
    """The interpreter that runs it; it needs ipykernel."""
    rung: Rung | None = None
    """None: the best that the machine has when a kernel starts, never "trusted"."""
    network: bool = False
    files: bool = True
    """Whether kernels see the files beside the notebook, read-only."""
    limits: Limits = field(default_factory=Limits)


def install(spec: Spec, *, prefix: str | None = None, user: bool = False) -> Path:
    """Write a kernelspec, for this environment where neither is given. Raises NoSandbox where none can be isolated."""
    if spec.rung is None:
        best_rung(spec.python)
    else:
        require(spec.rung, spec.python)
    config: dict[str, Any] = {
        "python": spec.python,
        "rung": spec.rung,
        "network": spec.network,
        "files": spec.files,
        "limits": asdict(spec.limits),
    }
    content = {
        "argv": [spec.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": spec.display_name,
        "language": "python",
        "interrupt_mode": "signal",
        "metadata": {"kernel_provisioner": {"provisioner_name": NAME, "config": config}},
    }
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "kernel.json").write_text(json.dumps(content, indent=1))
        where = None if user else (prefix or sys.prefix)
        try:
            target = KernelSpecManager().install_kernel_spec(folder, spec.name, user=user, prefix=where)
        except (OSError, ValueError) as error:
            raise UsageError(f"the kernelspec cannot be written: {error}") from error
    return Path(target)


def installed() -> Mapping[str, Path]:
    """The kernelspecs of ours that Jupyter finds, by name."""
    manager = KernelSpecManager()
    found: dict[str, Path] = {}
    for name, folder in manager.find_kernel_specs().items():
        provisioner = manager.get_kernel_spec(name).metadata.get("kernel_provisioner", {})
        if provisioner.get("provisioner_name") == NAME:
            found[name] = Path(folder)
    return found


def uninstall(name: str) -> Path:
    """Remove one of ours. Raises UsageError for a name that is none."""
    if name not in installed():
        ours = ", ".join(installed()) or "none"
        raise UsageError(f"there is no kernel {name!r} of Cellwright's; there is {ours}")
    try:
        return Path(KernelSpecManager().remove_kernel_spec(name))
    except (OSError, NoSuchKernel) as error:
        raise UsageError(f"the kernelspec {name!r} cannot be removed: {error}") from error
