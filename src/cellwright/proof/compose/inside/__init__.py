"""Code that is sent, as source, into kernels to look at tables. Standard library and pandas only."""

from functools import cache
from importlib.resources import files


@cache
def profiler() -> str:
    """Statements that define `profile(frame)` in a kernel."""
    return files(__name__).joinpath("profile.py").read_text()
