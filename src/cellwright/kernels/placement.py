"""Files where a notebook expects them: in the sandbox they stand at the paths that lead to them from its own folder.

So the code that an agent writes there runs again as it is, in any Jupyter that opens the notebook where it lies.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cellwright.core.errors import KernelStartError, UsageError
from cellwright.kernels.protocol import Kernel

_MOST_FILES = 1000
_SETUP = """
import os as _os
_links = {links!r}
_data = _os.path.join(_os.getcwd(), "data")
_os.makedirs({home!r}, exist_ok=True)
_os.chdir({home!r})
for _path, _name in _links.items():
    _os.makedirs(_os.path.dirname(_path) or ".", exist_ok=True)
    _os.symlink(_os.path.join(_data, _name), _path)
del _os, _links, _data
globals().pop("_path", None), globals().pop("_name", None)
"""


@dataclass(frozen=True)
class Placement:
    """How files get into a kernel."""

    tables: Mapping[str, Path]
    """For KernelSettings."""
    paths: Mapping[str, Path]
    """Path as the notebook's code has it, with forward slashes, to the file."""
    setup: str
    """A cell to run before the notebook's first one. It leaves no name behind."""


def place(files: Iterable[Path], folder: Path) -> Placement:
    """Place `files`, and all files in those that are folders, for a notebook that lies in `folder`.

    Raises UsageError for a file that is not there, and for more files than can be meant.
    """
    paths: dict[str, Path] = {}
    for file in _expanded(files):
        relative = PurePosixPath(os.path.relpath(file.resolve(), folder.resolve()))
        paths[str(relative)] = file.resolve()
    if len(paths) > _MOST_FILES:
        raise UsageError(f"{len(paths)} files are more than can be shown to an agent ({_MOST_FILES}); name fewer")
    tables = {f"{number}/{path.name}": path for number, path in enumerate(paths.values())}
    links = dict(zip(paths, tables, strict=True))
    ups = max((PurePosixPath(path).parts.count("..") for path in paths), default=0)
    home = "/".join(["notebook", *["here"] * ups])
    return Placement(tables, paths, _SETUP.format(links=links, home=home))


def _expanded(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        if file.is_dir():
            yield from sorted(path for path in file.rglob("*") if path.is_file() and not _is_hidden(path, file))
        elif file.is_file():
            yield file
        else:
            raise UsageError(f"there is no file {file}")


def _is_hidden(path: Path, above: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(above).parts)


async def prepare(kernel: Kernel, placement: Placement) -> None:
    """Put the files where the notebook's code looks for them. Raises KernelStartError where that cannot be."""
    if placement.tables:
        result = await kernel.execute(placement.setup)
        if result.status != "ok":
            raise KernelStartError(f"the files could not be put in their places: {result.error or result.ended_by}")


def describe(placement: Placement) -> Sequence[str]:
    """A line for each file, for a prompt: its path and size."""
    return [f"{path} ({_size(file.stat().st_size)})" for path, file in placement.paths.items()]


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
