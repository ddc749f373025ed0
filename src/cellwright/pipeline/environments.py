"""The kernels of a build, or of a dataset's tasks: a pool with this installation's environment, and others by name."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from importlib import metadata

from cellwright.core.types import MODERN, Task
from cellwright.kernels import LocalPool
from cellwright.kernels.eras import Era, find_eras, pythons


def open_pool(size: int, eras: Sequence[Era] = (), *, trusted: bool) -> LocalPool:
    """A pool for these environments and the modern one. Raises NoSandbox, unless the notebooks are trusted."""
    return LocalPool(size, rung="trusted" if trusted else None, pythons=pythons(eras))


_LIBRARIES = (
    "ipykernel",
    "numpy",
    "pandas",
    "scipy",
    "scikit-learn",
    "statsmodels",
    "matplotlib",
    "seaborn",
    "pyarrow",
)


def modern_libraries() -> dict[str, str]:
    """Versions of what values hang on in the modern environment: what was computed with others is computed again."""
    found: dict[str, str] = {}
    for name in _LIBRARIES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def eras_of(tasks: Iterable[Task], told: Sequence[str]) -> tuple[Era, ...]:
    """The environments that tasks were proved in: those that are told, as NAME=PATH, and the others by their names.

    Raises UsageError for one that is not here.
    """
    given = find_eras(told)
    others = {task.era for task in tasks} - {MODERN, *(era.name for era in given)}
    return (*given, *find_eras(sorted(others)))
