"""Kernel environments of other years, beside the one of this installation: what many notebooks were written for.

An era has a name, which tasks carry, and an interpreter with libraries of its own. Some ship with Cellwright as a lock
file (`eras.toml`, and a list of versions for each); `create` installs one. Any other Python that has ipykernel can be
named as well, with a path.
"""

from cellwright.kernels.eras.finding import Era, find_era, find_eras, pythons
from cellwright.kernels.eras.making import create
from cellwright.kernels.eras.shipped import ShippedEra, default_folder, is_made, shipped

__all__ = ["Era", "ShippedEra", "create", "default_folder", "find_era", "find_eras", "is_made", "pythons", "shipped"]
