"""What Python's `os` does not offer of Linux: namespaces, mounts, capabilities, and passing descriptors. By ctypes.

x86-64 and arm64. Every function raises OSError with the name of the call.
"""

import contextlib
import ctypes
import os
import platform
import struct
from collections.abc import Sequence

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC = 1, 2, 4, 8, 32, 4096, 16384
MS_PRIVATE, MS_SLAVE = 1 << 18, 1 << 19
_MNT_DETACH = 2
_SIGCHLD = 17
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SUBREAPER = 1, 4, 24, 36
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_AT_FDCWD, _AT_EMPTY_PATH, _OPEN_TREE_CLONE, _OPEN_TREE_CLOEXEC, _MOVE_MOUNT_F_EMPTY_PATH = (
    -100,
    0x1000,
    1,
    0o2000000,
    4,
)

MACHINE = platform.machine()
_NUMBERS = {
    "x86_64": {"clone": 56, "pivot_root": 155, "capset": 126, "seccomp": 317},
    "aarch64": {"clone": 220, "pivot_root": 41, "capset": 91, "seccomp": 277},
}
# The same on every machine since Linux 5.
_COMMON = {
    "open_tree": 428,
    "move_mount": 429,
    "close_range": 436,
    "landlock_create_ruleset": 444,
    "landlock_add_rule": 445,
    "landlock_restrict_self": 446,
}
_libc = ctypes.CDLL(None, use_errno=True)


def is_known_machine() -> bool:
    return MACHINE in _NUMBERS


def syscall(name: str, *arguments: object) -> int:
    """A system call without a wrapper in libc."""
    number = _COMMON.get(name) or _NUMBERS[MACHINE][name]
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return _checked(_libc.syscall(ctypes.c_long(number), *words), name)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else os.fsencode(text)


# --- namespaces and mounts ---------------------------------------------------------------------------


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int = 0) -> None:
    _checked(_libc.setns(descriptor, kind), "setns")


def clone(flags: int) -> int:
    """A fork into new namespaces: 0 in the child. The child has the one thread that called.

    Unlike os.fork it tells neither Python nor libc, so the caller must have no other thread.
    """
    return syscall("clone", flags | _SIGCHLD, 0, 0, 0, 0)


def mount(source: str | None, target: str, kind: str | None = None, flags: int = 0, options: str | None = None) -> None:
    result = _libc.mount(_bytes(source), _bytes(target), _bytes(kind), ctypes.c_ulong(flags), _bytes(options))
    _checked(result, f"mount {kind or source or ''} on {target}")


def bind(source: str, target: str, *, writable: bool = False) -> None:
    """Show a file or folder at another place too, with what is mounted below it."""
    mount(source, target, None, MS_BIND | MS_REC)
    if not writable:
        protect(target)


def protect(target: str) -> None:
    """Make a mount read-only and without devices and set-user-id programs."""
    status = os.statvfs(target)
    # In a user namespace a flag that was set outside must be named again.
    kept = status.f_flag & (os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME | os.ST_RELATIME)
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | kept)


def unmount(target: str) -> None:
    _checked(_libc.umount2(_bytes(target), _MNT_DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    syscall("pivot_root", ctypes.c_char_p(_bytes(new)), ctypes.c_char_p(_bytes(old)))


def detached_copy(source: str | int) -> int:
    """A descriptor of a mount that stands nowhere yet: of a path, or of a mount by its descriptor."""
    flags = _OPEN_TREE_CLONE | _OPEN_TREE_CLOEXEC
    if isinstance(source, int):
        return syscall("open_tree", source, ctypes.c_char_p(b""), flags | _AT_EMPTY_PATH)
    return syscall("open_tree", _AT_FDCWD, ctypes.c_char_p(_bytes(source)), flags)


def attach(descriptor: int, target: str) -> None:
    """Put a detached mount in its place."""
    empty = ctypes.c_char_p(b"")
    syscall("move_mount", descriptor, empty, _AT_FDCWD, ctypes.c_char_p(_bytes(target)), _MOVE_MOUNT_F_EMPTY_PATH)


# --- privileges ------------------------------------------------------------------------------------------


def _prctl(*arguments: int) -> int:
    return int(_libc.prctl(*(ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:5])))


def die_with_parent() -> None:
    """Be killed when the thread that started this process ends. To be asked again after a change of user."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def set_dumpable(dumpable: bool) -> None:
    """Whether /proc of this process belongs to its user, and others of that user may look into it."""
    _prctl(_PR_SET_DUMPABLE, int(dumpable))


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends."""
    _prctl(_PR_SET_SUBREAPER, 1)


def no_new_privileges() -> None:
    _checked(_prctl(_PR_SET_NO_NEW_PRIVS, 1), "no_new_privs")


def drop_capabilities() -> None:
    """All of them, for good."""
    capability = 0
    while _prctl(_PR_CAPBSET_DROP, capability) == 0:
        capability += 1
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_VERSION_3, 0))
    syscall("capset", header, ctypes.create_string_buffer(24))


def map_one_user(inner: int, uid: int, gid: int) -> None:
    """In a new user namespace: `uid` outside is `inner` inside, and nobody else is anybody."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{inner} {uid} 1"), ("gid_map", f"{inner} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123
            file.write(text)


# --- descriptors -----------------------------------------------------------------------------------------


def close_all_but(kept: Sequence[int]) -> None:
    """Close every descriptor from 3 up that is not among `kept`."""
    start = 3
    for descriptor in sorted(kept):
        if descriptor > start:
            with contextlib.suppress(OSError):
                syscall("close_range", start, descriptor - 1, 0)
        start = max(start, descriptor + 1)
    syscall("close_range", start, 0x7FFFFFFF, 0)
