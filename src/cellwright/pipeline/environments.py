"""The kernels of a build, or of a dataset's tasks: a pool with this installation's environment, and others by name."""

from collections.abc import Iterable, Sequence

from cellwright.core.types import MODERN, Task
from cellwright.kernels import LocalPool
from cellwright.kernels.eras import Era, find_eras, pythons


def open_pool(size: int, eras: Sequence[Era] = (), *, trusted: bool) -> LocalPool:
    """A pool for these environments and the modern one. Raises NoSandbox, unless the notebooks are trusted."""
    return LocalPool(size, rung="trusted" if trusted else None, pythons=pythons(eras))


def eras_of(tasks: Iterable[Task], told: Sequence[str]) -> tuple[Era, ...]:
    """The environments that tasks were proved in: those that are told, as NAME=PATH, and the others by their names.

    Raises UsageError for one that is not here.
    """
    given = find_eras(told)
    others = {task.era for task in tasks} - {MODERN, *(era.name for era in given)}
    return (*given, *find_eras(sorted(others)))
