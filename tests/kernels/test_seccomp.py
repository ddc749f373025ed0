"""The filter of system calls alone, in a process of its own."""

import subprocess
import sys

import pytest

from cellwright.kernels.inside import linux

_SOCKETS = """
import socket
from cellwright.kernels.inside import linux, seccomp
linux.no_new_privileges()
seccomp.install(network=True, namespaces=True, only_pairs={only_pairs})
for make in (socket.socket, socket.socketpair):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            make(socket.AF_UNIX, kind)
            print("made")
        except OSError:
            print("refused")
socket.socket()
"""


@pytest.mark.skipif(not linux.is_known_machine(), reason="no filter is known for this machine")
@pytest.mark.parametrize("only_pairs", [False, True])
def test_unix_sockets_can_be_held_to_pairs(*, only_pairs: bool) -> None:
    """Where the network is the machine's and nothing else keeps its abstract sockets out of reach."""
    code = _SOCKETS.format(only_pairs=only_pairs)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == (["refused", "refused", "made", "refused"] if only_pairs else ["made"] * 4)
