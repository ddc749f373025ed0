"""`python as_user.py COMMAND...`: run a command as a normal user, on a machine where the tests run as root.

Python and this project may stand in a folder that is closed to others, such as root's home. So the command gets mounts
of its own, in which such a folder is replaced by one that is open and holds what the command needs, under its own path.
"""

import contextlib
import os
import stat
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from cellwright.kernels.inside import linux

USER = 65_534
_OPEN = stat.S_IROTH | stat.S_IXOTH


def needed() -> set[Path]:
    """Folders without which no test runs."""
    named = [sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), str(Path(__file__).parents[2]), *sys.path]
    found = {Path(name).resolve() for name in named if name}
    found |= {Path(name) for name in (sys.prefix, sys.base_prefix)}
    return {path for path in found if path.is_dir()}


def closed_above(path: Path) -> Path | None:
    """The topmost folder on the way to `path` that others may not enter."""
    for folder in reversed([path, *path.parents]):
        if stat.S_IMODE(folder.stat().st_mode) & _OPEN != _OPEN:
            return folder
    return None


def open_up(paths: Iterable[Path]) -> None:
    """Replace closed folders, for this process and what it starts."""
    linux.unshare(linux.NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    hidden = {path: closed for path in sorted(paths) if (closed := closed_above(path)) is not None}
    kept = {path: os.open(path, os.O_PATH) for path in hidden}
    for closed in set(hidden.values()):
        linux.mount("tmpfs", str(closed), "tmpfs", 0, "mode=755")
    for path, descriptor in kept.items():
        with contextlib.suppress(FileExistsError):
            path.mkdir(parents=True)
            linux.mount(f"/proc/self/fd/{descriptor}", str(path), None, linux.MS_BIND | linux.MS_REC)
        os.close(descriptor)


def main() -> None:
    open_up(needed())
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    linux.set_dumpable(True)
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
