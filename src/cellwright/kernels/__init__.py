"""Real Jupyter kernels, isolated from the machine, behind one small protocol."""

from cellwright.kernels.pool import LocalPool
from cellwright.kernels.protocol import Kernel, KernelSettings, Limits, Pool

__all__ = ["Kernel", "KernelSettings", "Limits", "LocalPool", "Pool"]
