"""Real Jupyter kernels, isolated from the machine, behind one small protocol."""

from cellwright.kernels.pool import DATA_SCIENCE, LocalPool
from cellwright.kernels.protocol import Kernel, KernelSettings, Limits, Pool

__all__ = ["DATA_SCIENCE", "Kernel", "KernelSettings", "Limits", "LocalPool", "Pool"]
