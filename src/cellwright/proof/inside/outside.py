"""What programs leave outside their own folders: seen where it is written, and taken away before the next finds it."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The parts are one module inside a kernel.
if "note_request" not in globals():
    from cellwright.proof.inside.chance import note_request, unnoticed

TEMPORARY = tempfile.gettempdir()
_OUTSIDE = tuple({TEMPORARY, "/tmp", "/var/tmp", "/dev/shm", str(Path.home()), str(Path.cwd())})
_MAX_NOTES_BYTES = 8 << 20
# Which argument of what Python tells of files is a path that is written.
_WRITES = {"open": 0, "os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "sqlite3.connect": 0}
_DICE = ("/dev/urandom", "/dev/random")
_notes = [-1]
"""The file in which a fork notes what it writes."""
_own_folder = [""]


def _files_outside() -> set[str]:
    found: set[str] = set()
    for folder in _OUTSIDE:
        try:
            found.update(entry.path for entry in os.scandir(folder))
        except OSError:
            continue
    return found


@contextmanager
def tidied(sources: list[str]) -> Iterator[Callable[[], list[str]]]:
    """Afterwards, remove what a program left outside its folder, or the next would find it. Gives what tells that.

    On a machine that others use too, only what the program names in full, or was seen to write, can be told to be its
    own.
    """
    before, outer, home = _files_outside(), _notes[0], str(Path.home())
    with unnoticed():
        notes = tempfile.TemporaryFile(dir=TEMPORARY)  # noqa: SIM115 - a sandbox has no files in memory
    _notes[0] = notes.fileno()

    def left() -> list[str]:
        written = os.pread(notes.fileno(), _MAX_NOTES_BYTES, 0).decode("utf-8", "surrogateescape").splitlines()
        return [
            path
            for path in _files_outside() - before
            if any(name in source for source in sources for name in (path, path.replace(home, "~", 1)))
            or any(place == path or place.startswith(f"{path}/") for place in written)
        ]

    try:
        yield left
    finally:
        for path in left():
            if Path(path).is_dir() and not Path(path).is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink(missing_ok=True)
        _notes[0] = outer
        notes.close()


def watch_files(own_folder: str) -> None:
    """From now on, note what this process writes in folders that others see, and whether it reads from the dice."""
    if not _own_folder[0]:
        sys.addaudithook(_hear)
    _own_folder[0] = own_folder


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    place = _WRITES.get(event)
    if place is None or not isinstance(arguments[place], (str, bytes, os.PathLike)):
        return
    text = os.fsdecode(arguments[place])
    if text in _DICE:
        note_request()
    elif event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR):
        full = os.path.abspath(text)  # noqa: PTH100 - as it stands now, and links are nobody's business
        if _notes[0] >= 0 and full.startswith(_OUTSIDE) and not full.startswith(_own_folder[0]):
            os.write(_notes[0], os.fsencode(full) + b"\n")
