"""Copies of a work folder for branches, made while hostile code may change it.

The first process of a branch has rights that the kernel lacks, so nothing is reached by a path: each entry is opened
by its name in an open folder, and no link is followed.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_PIECE = 16 << 20
# What an entry that was taken away, or turned into a link, since its folder was read is refused with.
_CHANGED = {errno.ENOENT, errno.ELOOP, errno.ENOTDIR, errno.ENXIO}


def open_folder(path: str) -> int:
    """A descriptor of a folder that is no link. Raises OSError."""
    return os.open(path, _OPEN | os.O_DIRECTORY)


def copy_folder(source: int, target: int) -> None:
    """Copy what a folder holds, both by their descriptors: files, folders, and links as what they are.

    Left out are mounts, which tables are, and pipes, sockets and devices. Raises OSError.
    """
    device = os.fstat(source).st_dev
    open_ones: list[tuple[int, int, Iterator[str]]] = [(os.dup(source), os.dup(target), iter(os.listdir(source)))]
    try:
        while open_ones:
            inner, copy, names = open_ones[-1]
            name = next(names, None)
            if name is None:
                _finish(*open_ones.pop()[:2])
                continue
            try:
                folder = _copy(name, inner, copy, device)
            except OSError as error:
                if error.errno not in _CHANGED:
                    raise
                continue
            if folder is not None:
                open_ones.append((*folder, iter(os.listdir(folder[0]))))  # noqa: PTH208
    finally:
        for inner, copy, _ in open_ones:
            os.close(inner)
            os.close(copy)


def _finish(source: int, copy: int) -> None:
    """Give a copy the mode and times of its original, and close both."""
    status = os.fstat(source)
    os.fchmod(copy, stat.S_IMODE(status.st_mode) & 0o777)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    os.close(source)
    os.close(copy)


def _copy(name: str, source: int, target: int, device: int) -> tuple[int, int] | None:
    """Copy one entry. For a folder, descriptors of it and of its empty copy."""
    status = os.stat(name, dir_fd=source, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        return None
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        return None
    original = os.open(name, _OPEN, dir_fd=source)
    try:
        # What was opened may be another than what was looked at.
        status = os.fstat(original)
        if status.st_dev != device:
            return None
        if stat.S_ISDIR(status.st_mode):
            os.mkdir(name, 0o700, dir_fd=target)
            found = original, os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=target)
            original = -1
            return found
        if stat.S_ISREG(status.st_mode):
            copy = os.open(name, _CREATE, 0o600, dir_fd=target)
            try:
                while os.sendfile(copy, original, None, _PIECE):
                    pass
            finally:
                _finish(os.dup(original), copy)
        return None
    finally:
        with contextlib.suppress(OSError):
            os.close(original)
