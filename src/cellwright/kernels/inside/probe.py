"""Which rungs of isolation this machine has, found by trying each in a process of its own. Prints JSON."""

import json
import os
import sys

from . import landlock, linux, seccomp, start


def _namespaces(rung: str) -> None:
    start.enter_namespaces(rung, network=False)
    uid, gid = (200_000, 200_000) if rung == "root" else (os.getuid(), os.getgid())
    os.setegid(gid)
    os.seteuid(uid)
    child = linux.clone(linux.NEWUSER | linux.NEWNS | linux.NEWPID)
    if child == 0:
        _attempt(lambda: _first_process(uid, gid))
    _, status = os.waitpid(child, 0)
    if status:
        raise OSError("a sandbox could not be made (see the line before)")


def _first_process(uid: int, gid: int) -> None:
    linux.set_dumpable(True)
    linux.map_one_user(1000, uid, gid)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    linux.mount("tmpfs", "/sys", "tmpfs", linux.MS_NOSUID)
    _filters(namespaces=True)


def _filters(*, namespaces: bool) -> None:
    linux.no_new_privileges()
    seccomp.install(network=False, namespaces=namespaces)


def _landlock() -> None:
    if landlock.version() < landlock.SCOPES_SINCE:
        raise OSError(f"Landlock has version {landlock.version()}; {landlock.SCOPES_SINCE} (Linux 6.12) is needed")
    _filters(namespaces=False)


def _attempt(work: object) -> None:
    """Run it and end this process; what went wrong goes to standard error."""
    try:
        work()  # type: ignore[operator]
    except (OSError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _complaint(work: object) -> str:
    """Why it does not work here; empty when it does."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writer, 2)
        _attempt(work)
    os.close(writer)
    with os.fdopen(reader) as words:
        text = " ".join(words.read().split())
    _, status = os.waitpid(child, 0)
    return "" if status == 0 else text or "it ended without a word"


def main() -> None:
    found = {}
    if not linux.is_known_machine():
        reason = f"no table of system calls for {linux.MACHINE}"
        found = dict.fromkeys(("root", "user namespaces", "landlock"), reason)
    else:
        found["root"] = "not root" if os.getuid() else _complaint(lambda: _namespaces("root"))
        found["user namespaces"] = _complaint(lambda: _namespaces("user namespaces"))
        found["landlock"] = _complaint(_landlock)
    sys.stdout.write(json.dumps(found))
