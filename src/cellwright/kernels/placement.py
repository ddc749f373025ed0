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
    left_out: Sequence[str] = ()
    """A line for each file of a folder that is not shown, with why."""


def place(files: Iterable[Path], folder: Path) -> Placement:
    """Place `files`, and all files in those that are folders, for a notebook that lies in `folder`.

    A file that is named may be a link; of a folder, those that lead out of it are left out: nobody named what is there.
    Raises UsageError for a file that is not there or whose name is not UTF-8, and for more files than can be meant.
    """
    paths: dict[str, Path] = {}
    left_out: list[str] = []
    for file in _expanded(files, left_out):
        relative = PurePosixPath(os.path.relpath(file.resolve(), folder.resolve()))
        paths[str(relative)] = file.resolve()
    if len(paths) > _MOST_FILES:
        raise UsageError(f"{len(paths)} files are more than can be shown to an agent ({_MOST_FILES}); name fewer")
    tables = {f"{number}/{path.name}": path for number, path in enumerate(paths.values())}
    links = dict(zip(paths, tables, strict=True))
    ups = max((PurePosixPath(path).parts.count("..") for path in paths), default=0)
    home = "/".join(["notebook", *["here"] * ups])
    return Placement(tables, paths, _SETUP.format(links=links, home=home), left_out)


def _expanded(files: Iterable[Path], left_out: list[str]) -> Iterator[Path]:
    """The files, and those in folders; what is not shown of a folder is added to `left_out`."""
    for file in files:
        if file.is_dir():
            yield from _inside(file, left_out)
        elif not file.is_file():
            raise UsageError(f"there is no file {_printable(file)}")
        elif not _is_utf8(file):
            raise UsageError(f"the name of {_printable(file)} is not UTF-8, so no cell can name it; rename it")
        else:
            yield file


def _inside(folder: Path, left_out: list[str]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if _is_hidden(path, folder) or not path.exists():
            continue
        is_file = path.is_file()
        if (is_file or path.is_symlink()) and not path.resolve().is_relative_to(folder.resolve()):
            left_out.append(f"{_printable(path)} leads out of {_printable(folder)}; name it to have it read")
        elif is_file and not _is_utf8(path):
            left_out.append(f"the name of {_printable(path)} is not UTF-8; rename it to have it read")
        elif is_file:
            yield path


def _is_utf8(path: Path) -> bool:
    """Whether the file can be named in code and in messages between processes."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(path: Path) -> str:
    return os.fsencode(path).decode(errors="backslashreplace")


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
