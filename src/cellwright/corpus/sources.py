"""Folders, zips and single notebooks as sources of files, read one at a time.

Sources are hostile: names that lead out of them, links, bombs and encrypted members give a reject each and are never
opened. The list of files is kept in a database on disk, so that memory does not grow with the corpus (a zip's own
directory of members is the exception: Python reads it whole, some 500 bytes for each).
"""

import lzma
import os
import posixpath
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from cellwright.core.errors import SourceError
from cellwright.core.types import Reject
from cellwright.corpus import licences
from cellwright.corpus.licences import Licence
from cellwright.notebooks import read as notebook_files

STAGE = "read"
_SUFFIX = ".ipynb"
_SKIPPED_FOLDERS = {".git", "node_modules", "site-packages", "__pycache__", "__macosx", ".venv", ".tox"}
BUILT_HERE = ".cellwright"
"""A file of this name marks a folder that a build wrote: its notebooks are results, not sources."""
_AUTOSAVES = ".ipynb_checkpoints"
_PROJECT_MARKS = re.compile(
    r"(licen[cs]e|readme|copying|pyproject|setup|requirements|environment)(\.\w+)?|dataset-metadata\.json"
)
# deflate reaches 1032 at the very most, and only on one repeated byte; tables stay below 100.
_MAX_RATIO = 200
_RATIO_BYTES = 20_000_000
_LOOSE_DEPTH, _LOOSE_FILES = 3, 20_000


class Entry(NamedTuple):
    """A file of a source."""

    path: str
    """With forward slashes, relative to the source."""
    size: int
    changed: int = 0
    """When it was last changed, in the source's own units; only good for telling whether it was."""


class NotebookFile(NamedTuple):
    """A notebook's bytes as they stand in the source."""

    path: str
    data: bytes


class _Files(Protocol):
    """How a kind of source lists and opens its files."""

    def walk(self) -> Iterator[Entry | Reject]:
        """Every file, or why one is left out."""
        ...

    def open(self, path: str) -> IO[bytes]:
        """A file that `walk` gave."""
        ...

    def close(self) -> None:
        """Give back what is open."""
        ...


class _Folder:
    """Files below a folder. Links are followed only inside it."""

    def __init__(self, root: Path, depth: int | None = None, most: int | None = None) -> None:
        self._root = root.resolve()
        self._depth, self._most = depth, most

    def walk(self) -> Iterator[Entry | Reject]:
        count = 0
        for folder, names, files in os.walk(self._root):
            here = Path(folder)
            level = len(here.relative_to(self._root).parts)
            if BUILT_HERE in files:
                names.clear()
                continue
            names[:] = sorted(name for name in names if name.casefold() not in _SKIPPED_FOLDERS)
            if self._depth is not None and level >= self._depth:
                names.clear()
            for name in sorted(files):
                count += 1
                if self._most is not None and count > self._most:
                    return
                yield from self._entry(here / name)

    def _entry(self, file: Path) -> Iterator[Entry | Reject]:
        path = file.relative_to(self._root).as_posix()
        try:
            path.encode()
            if file.is_symlink() and not file.resolve().is_relative_to(self._root):
                yield Reject(STAGE, path, "link that leads out of the folder", str(file.readlink()), path)
            elif file.is_file():
                status = file.stat()
                yield Entry(path, status.st_size, status.st_mtime_ns)
        except UnicodeEncodeError:
            shown = path.encode("utf-8", "replace").decode()
            yield Reject(STAGE, shown, "file name is not UTF-8", shown, shown)
        except OSError as error:
            yield Reject(STAGE, path, "file cannot be read", str(error.strerror), path)

    def open(self, path: str) -> IO[bytes]:
        return (self._root / path).open("rb")

    def close(self) -> None:
        """Nothing is held open."""


class _Zip:
    """Members of a zip, read in place; nothing is unpacked."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise SourceError(f"{path} cannot be opened as a zip: {error}") from None

    def walk(self) -> Iterator[Entry | Reject]:
        seen: set[str] = set()
        for member in self._zip.infolist():
            if member.is_dir():
                continue
            # ZipInfo cuts names at NUL and turns the system's separators; the original name tells what was meant.
            reason = _unsafe(member) or ("name comes twice in the zip" if member.filename in seen else None)
            seen.add(member.filename)
            if reason is not None:
                shown = member.orig_filename.encode("utf-8", "replace").decode()
                yield Reject(STAGE, shown, reason, f"{member.compress_size} to {member.file_size} bytes", shown)
            elif not _SKIPPED_FOLDERS & {part.casefold() for part in member.filename.split("/")[:-1]}:
                yield Entry(member.filename, member.file_size, member.CRC)

    def open(self, path: str) -> IO[bytes]:
        return self._zip.open(path)

    def close(self) -> None:
        self._zip.close()


UNREADABLE = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What opening or reading a member of a hostile or broken zip may raise."""


def _unsafe(member: zipfile.ZipInfo) -> str | None:
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or "\0" in name or re.match(r"[A-Za-z]:", name):
        return "unsafe name in the zip"
    if member.external_attr >> 28 == 0xA:
        return "link in the zip"
    if member.flag_bits & 0x1:
        return "encrypted in the zip"
    if member.file_size > _RATIO_BYTES and member.file_size > _MAX_RATIO * max(member.compress_size, 1):
        return "zip bomb"
    return None


class Source:
    """One source, open: its notebooks, and its files by name."""

    def __init__(self, name: str, files: _Files, only: str | None = None) -> None:
        self.name = name
        self._files = files
        self._only = only
        # The empty name is SQLite's for a database on disk that goes with its connection.
        self._index = sqlite3.connect("", check_same_thread=False)
        self._index.execute("PRAGMA journal_mode = OFF")
        self._index.execute(
            "CREATE TABLE file (path TEXT PRIMARY KEY, name TEXT, folder TEXT, size INTEGER, changed INTEGER)"
            " WITHOUT ROWID"
        )
        self._rejects: list[Reject] = []
        self._index.executemany("INSERT OR IGNORE INTO file VALUES (?, ?, ?, ?, ?)", self._rows())
        self._index.execute("CREATE INDEX by_name ON file (name)")
        self._index.execute("CREATE INDEX by_folder ON file (folder)")

    def _rows(self) -> Iterator[tuple[str, str, str, int, int]]:
        for entry in self._files.walk():
            if isinstance(entry, Reject):
                self._rejects.append(replace(entry, source=self.name))
            else:
                folder, name = posixpath.split(entry.path)
                yield entry.path, name.casefold(), folder, entry.size, entry.changed

    def notebooks(self) -> Iterator[NotebookFile | Reject]:
        """Every notebook, in order of path; and what was left out, with the reason."""
        yield from self._rejects
        query = "SELECT path, size FROM file WHERE name LIKE '%.ipynb' ORDER BY path"
        if self._only is not None:
            yield self._notebook(self._only, self.size(self._only))
            return
        for path, size in self._index.execute(query):
            yield self._notebook(path, size)

    def _notebook(self, path: str, size: int) -> NotebookFile | Reject:
        if _AUTOSAVES in path.split("/"):
            return Reject(STAGE, path, "autosave of Jupyter", "", path, self.name)
        if size > notebook_files.MAX_BYTES:
            return Reject(STAGE, path, "file too large", f"{size / 1e6:.0f} MB", path, self.name)
        try:
            with self.open(path) as file:
                # One byte more than promised: a zip's directory can lie about sizes.
                data = file.read(notebook_files.MAX_BYTES + 1)
        except UNREADABLE as error:
            detail = f"{type(error).__name__}: {error}"
            return Reject(STAGE, path, "file cannot be read", detail, path, self.name)
        return NotebookFile(path, data)

    def listing(self) -> Iterator[str]:
        """A line for each file; the same lines stand for the same content."""
        if self._only is not None:
            yield f"only {self._only}"
        for path, size, changed in self._index.execute("SELECT path, size, changed FROM file ORDER BY path"):
            yield f"{path}\0{size}\0{changed}\n"

    def has(self, path: str) -> bool:
        """Whether there is a file of exactly this path."""
        return self._index.execute("SELECT 1 FROM file WHERE path = ?", (path,)).fetchone() is not None

    def size(self, path: str) -> int:
        """Bytes of a file; 0 where there is none."""
        row = self._index.execute("SELECT size FROM file WHERE path = ?", (path,)).fetchone()
        return int(row[0]) if row else 0

    def named(self, name: str, most: int = 1000) -> list[str]:
        """Paths of the files of this name, upper and lower case aside."""
        rows = self._index.execute(
            "SELECT path FROM file WHERE name = ? ORDER BY path LIMIT ?", (name.casefold(), most)
        )
        return [path for (path,) in rows]

    def in_folder(self, folder: str, most: int = 1000) -> list[str]:
        """Paths of the files that stand in a folder itself."""
        rows = self._index.execute("SELECT path FROM file WHERE folder = ? ORDER BY path LIMIT ?", (folder, most))
        return [path for (path,) in rows]

    def open(self, path: str) -> IO[bytes]:
        """A file's bytes. Raises one of UNREADABLE, as reading them does."""
        return self._files.open(path)

    @lru_cache(maxsize=4096)  # noqa: B019 - lives as long as its source, which lives as long as a stage
    def _project_mark(self, folder: str) -> bool:
        return any(_PROJECT_MARKS.fullmatch(posixpath.basename(path).casefold()) for path in self.in_folder(folder))

    def project(self, path: str) -> str:
        """The outermost folder above `path` that looks like a project's own, by its licence or readme; else ""."""
        parts = path.split("/")[:-1]
        folders = ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
        return next((folder for folder in folders if self._project_mark(folder)), "")

    def licence(self, path: str) -> Licence:
        """What the nearest licence file above `path` says."""
        folder = posixpath.dirname(path)
        while True:
            found = self._licence_in(folder)
            if found is not None or not folder:
                return found or Licence(None, None)
            folder = posixpath.dirname(folder)

    @lru_cache(maxsize=4096)  # noqa: B019 - as above
    def _licence_in(self, folder: str) -> Licence | None:
        for path in self.in_folder(folder):
            if posixpath.basename(path).casefold() in licences.FILES:
                try:
                    with self.open(path) as file:
                        return licences.recognise(file.read(licences.MAX_BYTES).decode("utf-8", "replace"))
                except UNREADABLE:
                    continue
        return None

    def close(self) -> None:
        """Give back the files and the index."""
        self._index.close()
        self._files.close()


class Sources(AbstractContextManager["Sources"]):
    """Several sources under names of their own."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._stack = ExitStack()
        self.by_name: dict[str, Source] = {}
        with ExitStack() as opening:
            for path in paths:
                name = _free_name(path, self.by_name)
                self.by_name[name] = _open(path, name)
                opening.callback(self.by_name[name].close)
            self._stack = opening.pop_all()

    def close(self) -> None:
        """Close all of them."""
        self._stack.close()

    def __exit__(self, *_: object) -> None:
        self.close()


def _free_name(path: Path, taken: dict[str, Source]) -> str:
    name = path.resolve().name or "root"
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _open(path: Path, name: str) -> Source:
    """Open a source by what it is. Raises SourceError."""
    try:
        if path.is_dir():
            os.scandir(path).close()
            return Source(name, _Folder(path))
        if not path.exists():
            raise SourceError(f"{path} does not exist. Give a folder, a zip or a notebook.")
        if path.suffix.casefold() == _SUFFIX:
            return Source(name, _Folder(path.parent, _LOOSE_DEPTH, _LOOSE_FILES), only=path.name)
        if zipfile.is_zipfile(path):
            return Source(name, _Zip(path))
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from None
    raise SourceError(f"{path} is neither a folder, a zip nor a notebook ({_SUFFIX}).")
