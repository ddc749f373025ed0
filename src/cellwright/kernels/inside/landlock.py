"""Landlock: limits on files, TCP, signals and abstract sockets that a process sets itself and cannot lift.

https://docs.kernel.org/userspace-api/landlock.html
"""

import contextlib
import ctypes
import os
import stat
import struct
from collections.abc import Sequence

from . import linux

_CREATE_VERSION = 1
_PATH_BENEATH = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL = 1, 2, 4, 8, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_BIND_TCP, _CONNECT_TCP = 1, 2
_ABSTRACT_SOCKETS, _SIGNALS = 1, 2
# The version of the interface that first knew a right.
_TRUNCATE_SINCE, _REFER_SINCE, _TCP_SINCE, _IOCTL_SINCE, _SCOPES_SINCE = 3, 2, 4, 5, 6
SCOPES_SINCE = _SCOPES_SINCE
"""First version that keeps signals and abstract sockets inside."""


def version() -> int:
    """Of Landlock here; 0 where there is none."""
    with contextlib.suppress(OSError, KeyError):
        return linux.syscall("landlock_create_ruleset", None, 0, _CREATE_VERSION)
    return 0


def restrict(readable: Sequence[str | int], writable: Sequence[str | int], *, tcp: bool) -> None:
    """From now on: files only below these paths or descriptors, signals and abstract sockets only among ourselves."""
    found = version()
    if not found:
        return
    rights = _rights(found)
    ports = 0 if tcp or found < _TCP_SINCE else _BIND_TCP | _CONNECT_TCP
    scopes = _ABSTRACT_SOCKETS | _SIGNALS if found >= _SCOPES_SINCE else 0
    size = 24 if found >= _SCOPES_SINCE else 16 if found >= _TCP_SINCE else 8
    attributes = ctypes.create_string_buffer(struct.pack("=QQQ", rights, ports, scopes))
    ruleset = linux.syscall("landlock_create_ruleset", attributes, size, 0)
    try:
        for place in readable:
            _allow(ruleset, place, _READ)
        for place in writable:
            _allow(ruleset, place, rights)
        linux.syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _rights(found: int) -> int:
    rights = (1 << 13) - 1
    rights |= 1 << 13 if found >= _REFER_SINCE else 0
    rights |= _TRUNCATE if found >= _TRUNCATE_SINCE else 0
    rights |= _IOCTL if found >= _IOCTL_SINCE else 0
    return rights


def _allow(ruleset: int, place: str | int, rights: int) -> None:
    if isinstance(place, int):
        descriptor, opened = place, False
    else:
        try:
            descriptor, opened = os.open(place, os.O_PATH | os.O_CLOEXEC), True
        except FileNotFoundError:
            return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES & _rights(version())
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
        linux.syscall("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
    finally:
        if opened:
            os.close(descriptor)
