"""Folders of kernels without a file system of their own: claimed while the program lives, and removed for certain.

A program that was killed cannot remove them; the next one does, once it finds that nobody claims them any more.
"""

import contextlib
import fcntl
import itertools
import logging
import os
import tempfile
import time
from pathlib import Path

_log = logging.getLogger(__name__)
_PREFIX = "cellwright-kernel-"
_CLAIMED_WITHIN_S = 60.0
_names = itertools.count()


class ClaimedFolder:
    """A new folder, claimed by an open descriptor of it until it is removed."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._claim = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._claim, fcntl.LOCK_SH)

    def remove(self) -> None:
        os.close(self._claim)
        remove(self.root)


def remove(root: Path) -> None:
    """Remove a kernel's folders, whatever the notebook made of them.

    Each folder is moved up to `root` before it is emptied: a notebook may have nested them deeper than a recursion, a
    path or the number of open files allows (shutil.rmtree gives up there), and taken away its own rights to them.
    """
    waiting, emptied = [root], []
    while waiting:
        folder = waiting.pop()
        emptied.append(folder)
        with contextlib.suppress(OSError):
            for entry in list(os.scandir(folder)):
                with contextlib.suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)  # noqa: PTH108
                        continue
                    os.chmod(entry.path, 0o700)  # noqa: PTH101
                    waiting.append(Path(entry.path).rename(root / f"removed-{next(_names)}"))
    for folder in reversed(emptied):
        with contextlib.suppress(OSError):
            folder.rmdir()
    if root.exists():
        _log.warning("the folder of a kernel could not be removed; remove it by hand: %s", root)


def remove_abandoned() -> None:
    """Remove the folders of kernels whose program was killed, as far as they are this account's."""
    for root in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = root.lstat()
            # One that is new may be about to be claimed.
            if status.st_uid == os.getuid() and time.time() - status.st_mtime > _CLAIMED_WITHIN_S:
                _remove_unclaimed(root)


def _remove_unclaimed(root: Path) -> None:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(root)
    finally:
        os.close(descriptor)
