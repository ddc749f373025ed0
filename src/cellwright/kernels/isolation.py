"""How kernels are kept from the machine and from each other: the ladder of isolation, and which rung is used.

`root`: for each kernel a user, mounts and processes of its own, for all of a template an IPC and a network that hold
nothing; Landlock, a filter of system calls, no capabilities. `user namespaces`: the same for a normal user; all
kernels have that user's identity outside. `landlock`: no namespaces, as in many containers; Landlock, the filter, no
sockets but pairs, and rights, owners and times of files that only seem to change. `trusted`: nothing of it; only for
notebooks whose authors are trusted. Where none of the first three is there, it is refused.

Not promised: protection from a hole in Linux that is reached through an allowed system call. Paths of mounts, not
what is in them, show in /proc/self/mountinfo. A folder given as a table may hold a Unix socket, which can be reached.
A kernel can end its own branches. Without a control group, memory that Linux itself holds for a process, such as what
waits in sockets, is not counted. On the `landlock` rung other processes of the machine can be seen as numbers,
whether a file is there and how large can be asked of any path, and branches share one folder's rights.
"""

import functools
import json
import subprocess
from typing import Literal

from cellwright.core.errors import NoSandbox
from cellwright.kernels.interpreter import INSIDE

Rung = Literal["root", "user namespaces", "landlock", "trusted"]
LADDER: tuple[Rung, ...] = ("root", "user namespaces", "landlock")
"""Best first."""
WORDS: dict[Rung, str] = {
    "root": "each in a sandbox with a user of its own (namespaces made as root)",
    "user namespaces": "each in a sandbox (user namespaces)",
    "landlock": "each in a sandbox without namespaces (Landlock and a filter of system calls)",
    "trusted": "NOT isolated, as the notebooks are trusted",
}
"""What to tell a person."""
_PROBE_TIMEOUT_S = 20.0


def is_sandboxed(rung: Rung) -> bool:
    """Whether kernels on it have namespaces, and so a file system of their own."""
    return rung in ("root", "user namespaces")


@functools.cache
def complaints(python: str) -> dict[str, str]:
    """For each rung of the ladder, why it cannot be had here; empty where it can."""
    try:
        answer = subprocess.run(
            [python, "-I", "-S", str(INSIDE / "__main__.py"), "probe"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_PROBE_TIMEOUT_S,
        )
        found: dict[str, str] = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return dict.fromkeys(LADDER, str(error))
    return found


def best_rung(python: str) -> Rung:
    """The highest rung that this machine has. Raises NoSandbox, with what each lacks, when it has none."""
    found = complaints(python)
    for rung in LADDER:
        if not found.get(rung, "not tried"):
            return rung
    raise NoSandbox(
        "This machine offers no way to isolate kernels: "
        + "; ".join(f"{rung}: {found.get(rung)}" for rung in LADDER)
        + ". Allow user namespaces, use Linux 6.12 or later, "
        "or pass --trusted if you trust the authors of the notebooks."
    )


def require(rung: Rung, python: str) -> None:
    """Raise NoSandbox when this machine does not have a rung."""
    complaint = complaints(python).get(rung, "") if rung != "trusted" else ""
    if complaint:
        raise NoSandbox(f"kernels cannot be isolated by {rung} on this machine: {complaint}")
