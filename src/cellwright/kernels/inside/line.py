"""Short messages with descriptors between a program, its template and its sandboxes: JSON over a SEQPACKET socket."""

import array
import contextlib
import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

_MOST_BYTES = 192 << 10
_MOST_DESCRIPTORS = 250  # Linux allows 253 in one message.


def pair() -> tuple[socket.socket, socket.socket]:
    """Both ends of a new line."""
    ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _MOST_BYTES)
    return ends


def send(end: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    """Send one message. Raises OSError when nobody listens any more, ValueError when it is too large."""
    data = json.dumps(message).encode()
    if len(data) > _MOST_BYTES or len(descriptors) > _MOST_DESCRIPTORS:
        raise ValueError(f"a message of {len(data)} bytes and {len(descriptors)} descriptors is too large")
    socket.send_fds(end, [data], list(descriptors))


def receive(end: socket.socket, flags: int = 0) -> tuple[dict[str, Any], list[int]] | None:
    """The next message and its descriptors, not inherited; None when the other end is closed.

    A message that is not JSON of an object is an empty one.
    """
    descriptors: array.array[int] = array.array("i")
    try:
        data, ancillary, _, _ = end.recvmsg(
            _MOST_BYTES, socket.CMSG_LEN(_MOST_DESCRIPTORS * descriptors.itemsize), flags | socket.MSG_CMSG_CLOEXEC
        )
    except ConnectionError:
        return None
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            descriptors.frombytes(content[: len(content) - len(content) % descriptors.itemsize])
    if not data:
        close(descriptors)
        return None
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(data)
        if isinstance(message, dict):
            return message, list(descriptors)
    close(descriptors)
    return {}, []


def sender(end: socket.socket) -> int:
    """Take the next message, and return which process sent it, by Linux's word; 0 where it is none that we can see.

    For a line with SO_PASSCRED. Its descriptors, for which there is no room here, are closed by Linux.
    """
    credentials = struct.Struct("=iII")
    _, ancillary, _, _ = end.recvmsg(_MOST_BYTES, socket.CMSG_LEN(credentials.size), socket.MSG_CMSG_CLOEXEC)
    for level, kind, content in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
            return int(credentials.unpack(content)[0])
    return 0


def close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)
