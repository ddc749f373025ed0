"""The filter of system calls: what is not allowed by name is refused with EPERM, what Linux 6 did not have with ENOSYS.

`syscalls.txt` holds the names. Four calls are looked at further: `clone` may make no namespace, `socket` may be of few
families, `ioctl` may not type into a terminal, `personality` may not change.
"""

import ctypes
import errno
import struct
from collections.abc import Iterable
from pathlib import Path

from . import linux

_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x50000
_LOAD, _EQUAL, _GREATER_EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
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
_SET_MODE_FILTER = 1

Instruction = tuple[int, int, int, int]


def install(families: Iterable[int]) -> None:
    """Put the filter on this thread and what it starts. `families`: of the sockets that may be made."""
    code = program(linux.MACHINE, families)
    instructions = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in code))
    header = struct.pack("@HP", len(code), ctypes.addressof(instructions))
    linux.syscall("seccomp", _SET_MODE_FILTER, 0, ctypes.create_string_buffer(header))


def families(*, internet: bool) -> tuple[int, ...]:
    """Socket families: always those within the machine; `internet` where a network, empty or not, is one's own."""
    return (_AF_UNIX, _AF_INET, _AF_INET6) if internet else (_AF_UNIX,)


def program(machine: str, socket_families: Iterable[int]) -> list[Instruction]:
    """The filter as instructions of the classic BPF machine: (code, jump if true, jump if false, operand)."""
    numbers = allowed(machine)
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        _return(_KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_GREATER_EQUAL, 0, 1, _X32),
        _return(_ERRNO | errno.ENOSYS),
        # libc falls back to clone, whose flags can be seen.
        *_when(_CLONE3, [_return(_ERRNO | errno.ENOSYS)]),
        *_when(numbers["clone"], _none_of_bits(0, _NAMESPACES)),
        # Not "no such family": libzmq ends the process on that.
        *_when(numbers["socket"], _one_of(0, socket_families, errno.EOPNOTSUPP)),
        *_when(numbers["ioctl"], _refused_if_one_of(1, _TERMINAL_CALLS)),
        *_when(numbers["personality"], _one_of(0, (0, 0xFFFFFFFF), errno.EPERM)),
    ]
    for first, last in _ranges(numbers.values()):
        code += [(_GREATER_EQUAL, 0, 2, first), (_GREATER_EQUAL, 1, 0, last + 1), _return(_ALLOW)]
    code += [(_GREATER_EQUAL, 0, 1, _LAST_KNOWN), _return(_ERRNO | errno.ENOSYS), _return(_ERRNO | errno.EPERM)]
    return code


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


def _one_of(argument: int, values: Iterable[int], error: int) -> list[Instruction]:
    checks: list[Instruction] = []
    for value in values:
        checks += [(_EQUAL, 0, 1, value), _return(_ALLOW)]
    return [(_LOAD, 0, 0, _ARGUMENTS_AT[argument]), *checks, _return(_ERRNO | error)]


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
