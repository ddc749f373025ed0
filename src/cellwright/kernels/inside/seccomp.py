"""The filter of system calls: what is not allowed by name is refused with EPERM, what Linux 6 did not have with ENOSYS.

`syscalls.txt` holds the names. Some calls are looked at further: `clone` may make no namespace, `socket` may be of few
families, `ioctl` may not type into a terminal, `personality` may not change, and priorities, processors and limits are
one's own only. Where no namespaces keep the machine out of reach, the filter also does what Landlock leaves undone.
"""

import ctypes
import errno
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import linux

_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x50000
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
_ARGUMENTS_AT = (16, 24, 32)
"""Low halves of the first three arguments; both machines are little-endian."""
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE3 = 435
_LAST_KNOWN = 460
_X32 = 0x40000000
# New user, mount, process, network, IPC, host-name, cgroup and time namespaces; and CLONE_NEWTIME as a flag of old.
_NAMESPACES = 0x7E020080
_TERMINAL_CALLS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOCK_STREAM, _SOCK_SEQPACKET, _TYPE_BITS = 1, 5, 0xF
_FIRST_PROCESS, _ONESELF = 1, 0
# By process: its priority, where it runs, how it is scheduled, its limits.
_OF_PROCESSES = ("sched_setaffinity", "sched_setscheduler", "sched_setparam", "sched_setattr", "prlimit64")
# What Landlock lets be done to every file of one's user.
_OF_FILES = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr"),
)
_SET_MODE_FILTER = 1
# Not "no such family": libzmq ends the process on that.
_NO_FAMILY = errno.EOPNOTSUPP

Instruction = tuple[int, int, int, int]


def install(*, network: bool, namespaces: bool, only_pairs: bool = False) -> None:
    """Put the filter on this thread and what it starts.

    `only_pairs`: of Unix sockets none but pairs, for a network that is the machine's, whose abstract sockets come with
    it. Without namespaces it is always so.
    """
    code = program(linux.MACHINE, network=network, namespaces=namespaces, only_pairs=only_pairs)
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in code))
    header = struct.pack("@HP", len(code), ctypes.addressof(instructions))
    linux.syscall("seccomp", _SET_MODE_FILTER, 0, ctypes.create_string_buffer(header))


def program(machine: str, *, network: bool, namespaces: bool, only_pairs: bool = False) -> list[Instruction]:
    """The filter as instructions of the classic BPF machine: (code, jump if true, jump if false, operand)."""
    numbers = allowed(machine)
    special = [
        *_when(numbers["clone"], _none_of_bits(0, _NAMESPACES)),
        *_when(numbers["ioctl"], _refused_if_one_of(1, _TERMINAL_CALLS)),
        *_when(numbers["personality"], _one_of(0, (0, 0xFFFFFFFF), errno.EPERM)),
        *(
            _with_namespaces(numbers, only_pairs=only_pairs)
            if namespaces
            else _without_namespaces(numbers, network=network)
        ),
    ]
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _return(_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_GREATER_EQUAL, 0, 1, _X32),
        _return(_ERRNO | errno.ENOSYS),
        # libc falls back to clone, whose flags can be seen.
        *_when(_CLONE3, [_return(_ERRNO | errno.ENOSYS)]),
        *special,
    ]
    for first, last in _ranges(numbers.values()):
        code += [(_GREATER_EQUAL, 0, 2, first), (_GREATER_EQUAL, 1, 0, last + 1), _return(_ALLOW)]
    code += [(_GREATER_EQUAL, 0, 1, _LAST_KNOWN), _return(_ERRNO | errno.ENOSYS), _return(_ERRNO | errno.EPERM)]
    return code


def _with_namespaces(numbers: Mapping[str, int], *, only_pairs: bool) -> list[Instruction]:
    """Of other processes the first one of the sandbox can be seen."""
    families = (_AF_INET, _AF_INET6) if only_pairs else (_AF_UNIX, _AF_INET, _AF_INET6)
    code = _when(numbers["socket"], _one_of(0, families, _NO_FAMILY))
    if only_pairs:
        code += _connected_pairs(numbers)
    for name in _OF_PROCESSES:
        code += _when(numbers[name], _refused_if_one_of(0, (_FIRST_PROCESS,)))
    # Of one process, not of a group or of all of a user.
    return code + _when(numbers["setpriority"], [*_must_be(0, 0), *_refused_if_one_of(1, (_FIRST_PROCESS,))])


def _without_namespaces(numbers: Mapping[str, int], *, network: bool) -> list[Instruction]:
    """All processes, sockets and files of one's user are there."""
    code: list[Instruction] = []
    for name in _OF_PROCESSES:
        code += _when(numbers[name], _one_of(0, (_ONESELF,), errno.EPERM))
    code += _when(numbers["setpriority"], [*_must_be(0, 0), *_one_of(1, (_ONESELF,), errno.EPERM)])
    # Unix sockets of other programs stand at paths that Landlock does not look at, so there are none but pairs.
    code += _connected_pairs(numbers)
    code += _when(numbers["socket"], _one_of(0, (_AF_INET, _AF_INET6) if network else (), _NO_FAMILY))
    if not network:
        for name in ("bind", "connect"):
            code += _when(numbers[name], [_return(_ERRNO | errno.EPERM)])
    for name in _OF_FILES:
        if name in numbers:
            # As if it had been done: copying a file would fail otherwise.
            code += _when(numbers[name], [_return(_ERRNO)])
    return code


def _connected_pairs(numbers: Mapping[str, int]) -> list[Instruction]:
    """Pairs of sockets, but none of those that could be sent elsewhere later."""
    return _when(numbers["socketpair"], _one_of(1, (_SOCK_STREAM, _SOCK_SEQPACKET), errno.EPERM, bits=_TYPE_BITS))


def allowed(machine: str) -> dict[str, int]:
    """Numbers of the allowed calls by name."""
    column = list(_ARCHITECTURES).index(machine)
    rows = [
        line.split() for line in Path(__file__).with_name("syscalls.txt").read_text().splitlines() if line[0] != "#"
    ]
    return {name: int(numbers[column]) for name, *numbers in rows if numbers[column] != "-"}


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _when(number: int, then: list[Instruction]) -> list[Instruction]:
    """Instructions for one call; each path through them must return."""
    return [(_EQUAL, 0, len(then), number), *then]


def _none_of_bits(argument: int, bits: int) -> list[Instruction]:
    return [
        (_LOAD, 0, 0, _ARGUMENTS_AT[argument]),
        (_ANY_BIT, 0, 1, bits),
        _return(_ERRNO | errno.EPERM),
        _return(_ALLOW),
    ]


def _one_of(argument: int, values: Iterable[int], error: int, bits: int = 0xFFFFFFFF) -> list[Instruction]:
    """Allowed when these bits of an argument are one of the values."""
    checks: list[Instruction] = [(_AND, 0, 0, bits)]
    for value in values:
        checks += [(_EQUAL, 0, 1, value), _return(_ALLOW)]
    return [(_LOAD, 0, 0, _ARGUMENTS_AT[argument]), *checks, _return(_ERRNO | error)]


def _must_be(argument: int, value: int) -> list[Instruction]:
    """Refused unless an argument is this; goes on with what comes next otherwise."""
    return [(_LOAD, 0, 0, _ARGUMENTS_AT[argument]), (_EQUAL, 1, 0, value), _return(_ERRNO | errno.EPERM)]


def _refused_if_one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    checks: list[Instruction] = []
    for value in values:
        checks += [(_EQUAL, 0, 1, value), _return(_ERRNO | errno.EPERM)]
    return [(_LOAD, 0, 0, _ARGUMENTS_AT[argument]), *checks, _return(_ALLOW)]


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as runs of neighbours, first and last."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
