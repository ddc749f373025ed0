"""How a template starts: the file system that all its sandboxes see is built, and template.py goes on in it.

Two mount namespaces are made. One is a copy of the machine's, kept to take tables from; the other holds the system's
programs, one Python and empty folders, and everything after this lives in it. The first message on the line says what
to build (`cellwright/kernels/interpreter.py`).
"""

import contextlib
import os
import socket
import sys
from pathlib import Path
from typing import Any

from . import cgroups, line, linux

_WRITABLE = ("home", "dev")
_MOUNT_POINTS = ("proc", "old", "home/analyst", "home/tmp", "home/.all", "dev/shm", "dev/pts")
_ROOT = "/sys"  # A place that every machine has, and nobody's Python is in.


def enter_namespaces(rung: str, *, network: bool) -> None:
    """Of one's own: mounts, IPC, host name, network; for a normal user within a user namespace."""
    flags = linux.NEWNS | linux.NEWIPC | linux.NEWUTS | (0 if network else linux.NEWNET)
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(flags | (linux.NEWUSER if rung == "user namespaces" else 0))
    if rung == "user namespaces":
        linux.map_one_user(0, uid, gid)
    socket.sethostname("cellwright")
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)


def build_root(parts: list[dict[str, str]]) -> list[int]:
    """Make the root that sandboxes see, and move into it.

    Returns descriptors of the mount namespace left behind, and of the folders that kernels may write below: Landlock
    looks at every folder above a file but those that are mount points, so nothing is mounted on these themselves.
    """
    machine = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    linux.unshare(linux.NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _ROOT, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=8m")
    for part in parts:
        _add(part)
    for name in ("null", "zero", "full", "random", "urandom"):
        _bind_file(f"/dev/{name}", f"{_ROOT}/dev/{name}")
    for name, target in (
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ):
        Path(f"{_ROOT}/dev/{name}").symlink_to(target)
    for folder in _MOUNT_POINTS:
        Path(f"{_ROOT}/{folder}").mkdir(exist_ok=True, parents=True)
    for name, target in (("tmp", "home/tmp"), ("home/input", "analyst/data")):
        Path(f"{_ROOT}/{name}").symlink_to(target)
    writable = [os.open(f"{_ROOT}/{folder}", os.O_PATH) for folder in _WRITABLE]
    linux.mount("/proc", f"{_ROOT}/proc", None, linux.MS_BIND | linux.MS_REC)
    # Sandboxes mount their own over these; the template itself needs a place for what libraries write when imported.
    for folder in ("home/tmp", "dev/shm"):
        linux.mount("tmpfs", f"{_ROOT}/{folder}", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
    os.chdir(_ROOT)
    linux.pivot_root(".", "old")
    os.chdir("/")
    linux.unmount("/old")
    Path("/old").rmdir()
    linux.mount(None, "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV)
    return [machine, *writable]


def _add(part: dict[str, str]) -> None:
    """One part of the root: {"at": path} with "bind": source, "link": target or "text": content."""
    place = _ROOT + part["at"]
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    if "link" in part:
        with contextlib.suppress(FileExistsError):
            Path(place).symlink_to(part["link"])
    elif "text" in part:
        Path(place).write_text(part["text"])
    elif Path(part["bind"]).is_dir():
        Path(place).mkdir(exist_ok=True)
        linux.bind(part["bind"], place)
    elif Path(part["bind"]).exists():
        _bind_file(part["bind"], place)
        linux.protect(place)


def _bind_file(source: str, place: str) -> None:
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    Path(place).touch()
    linux.mount(source, place, None, linux.MS_BIND)


def main() -> None:
    end = socket.socket(fileno=int(sys.argv[1]))
    received = line.receive(end)
    if received is None:
        return
    order: dict[str, Any] = received[0]
    # Found before the file system goes out of sight.
    group = cgroups.make() if order["rung"] != "trusted" else -1
    keep = [end.fileno()]
    try:
        if order["rung"] in ("root", "user namespaces"):
            enter_namespaces(order["rung"], network=order["network"])
            keep += build_root(order["root"])
        if order["rung"] == "root":
            os.setgroups([])
    except OSError as error:
        line.send(end, {"is": "failed", "why": str(error)})
        return
    for descriptor in (*keep, group):
        if descriptor >= 0:
            os.set_inheritable(descriptor, True)
    # Not isolated (-I): that would ignore PYTHONHASHSEED. The environment is ours anyway.
    argv = [order["python"], order["inside"] + "/__main__.py", "template", str(group), *map(str, keep)]
    os.execve(order["python"], argv, order["environment"])
