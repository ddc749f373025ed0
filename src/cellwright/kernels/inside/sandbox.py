"""The first process of a sandbox: lays out what the kernel sees, forks it, watches over it, and makes its branches.

With namespaces it is process 1 of its own; it keeps privileges over its namespaces that the kernel gives up, takes
orders from the program's line only, and everything in the sandbox ends when it does. Without namespaces it is the
parent of all that the kernel starts, and ends it by name.

A branch is a sandbox in a sandbox: its first process is forked here, with namespaces of its own, and the kernel forks
itself into them. So a parent kernel may end before its branches; the outer sandbox stays until the last has gone.
"""

import contextlib
import errno
import os
import resource
import select
import shutil
import signal
import socket
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from . import cgroups, copies, landlock, line, linux, seccomp
from .usage import Usage, descendants, end, is_nested, numbers, set_aside_bytes, started

HOME = "/home/analyst"
_UID = 1000
_OWN_BYTES = 64 << 20
_INODES_PER_BYTE = 1 / 8192
_ENTERED_S = 10.0
_COPIED_S = 60.0
_ENDED_S = 5.0
_SAID_CHARS = 500
_DESCRIPTORS = 4096
_SIGNALS = 1024
_PROCESS_GROUP = 4  # PIDFD_SIGNAL_PROCESS_GROUP
_READABLE = ("/",)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full")


Serve = Callable[[int, int, dict[str, Any]], NoReturn]
"""Be the kernel: descriptors of its channel and of its line to the first process, and the order that it was made by."""


def readable(descriptors: Sequence[int], timeout_s: float | None, urgent: Sequence[int] = ()) -> list[int]:
    """Those that have something to read, or whose other end is closed; and those of `urgent` that have urgent data."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    for descriptor in urgent:
        poll.register(descriptor, select.POLLPRI)
    return [found for found, _ in poll.poll(None if timeout_s is None else int(timeout_s * 1000))]


def run(
    order: dict[str, Any], descriptors: list[int], mounts: list[int], owner: tuple[int, int], serve: Serve
) -> NoReturn:
    """The life of a sandbox whose kernel is a fork of the template; `serve` is what the kernel does."""
    end = socket.socket(fileno=descriptors[0])
    try:
        if "group" in order:
            order["limits"] = {**order["limits"], "watch_memory": False}
        own = _has_namespaces(order)
        if own:
            _become_first(owner)
            _lay_out(order)
            _place_tables(order["tables"], mounts)
            linux.set_dumpable(False)
        else:
            linux.adopt_orphans()
        order["limits"] = {**order["limits"], **_watched(order, owner)}
        errands, theirs = line.pair()
        kernel = os.fork()
        if kernel == 0:
            _live(order, descriptors[1], theirs.fileno(), serve)
        theirs.close()
        line.close([descriptors[1], *order.get("writable", ())])
        _Init(end, errands, order, kernel, _held(order, mounts)).watch()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program must hear of it
        with contextlib.suppress(OSError):
            line.send(end, {"is": "failed", "why": _words(error)})
    os._exit(1)


def _words(error: BaseException) -> str:
    """What went wrong; hostile code may have chosen names that are in it."""
    return _harmless(f"{type(error).__name__}: {error}")


def _harmless(text: str) -> str:
    """A short text for a person's terminal: without surrogates, escapes and other controls."""
    return "".join(character if character.isprintable() else " " for character in text[:_SAID_CHARS])


def _watched(order: dict[str, Any], owner: tuple[int, int]) -> dict[str, Any]:
    """Limits that nobody but the first process can keep: Linux bounds the processes of no root, and of no family."""
    if order["rung"] == "trusted":
        return {}
    if _has_namespaces(order):
        return {"watch_processes": owner[0] == 0}
    return {"watch_processes": True, "watch_disk": order["folder"]}


def _held(order: dict[str, Any], mounts: Sequence[int]) -> dict[str, int]:
    """What branches are made of, by descriptors: a kernel may put links where its tables and its work folder stand."""
    if _has_namespaces(order):
        return dict(zip(order["tables"], mounts, strict=True))
    line.close(mounts)
    return {"": copies.open_folder(order["work"])} if "work" in order else {}


def _has_namespaces(order: dict[str, Any]) -> bool:
    return order["rung"] in {"root", "user namespaces"}


# --- what a kernel sees --------------------------------------------------------------------------------


def _become_first(owner: tuple[int, int]) -> None:
    linux.die_with_parent()
    linux.set_dumpable(True)
    linux.map_one_user(_UID, *owner)
    os.setresgid(_UID, _UID, _UID)
    os.setresuid(_UID, _UID, _UID)
    linux.set_dumpable(True)  # until its namespaces are known; then its memory is nobody's, whatever user they have
    linux.die_with_parent()


def _lay_out(order: dict[str, Any], copy_of: int | None = None) -> None:
    """Mount /proc and the one file system that the kernel may write to, with /tmp and /dev/shm on it."""
    quiet = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("proc", "/proc", "proc", quiet | linux.MS_NOEXEC)
    disk: int = order["limits"]["disk_bytes"]
    inodes = max(1000, int(disk * _INODES_PER_BYTE))
    linux.mount("tmpfs", "/home/.all", "tmpfs", quiet, f"size={disk},nr_inodes={inodes},mode=755")
    for name, place in (("analyst", HOME), ("tmp", "/home/tmp"), ("shm", "/dev/shm")):
        os.mkdir(f"/home/.all/{name}", 0o700)  # noqa: PTH102
        if name == "analyst" and copy_of is not None:
            _copy_work(copy_of, "/home/.all/analyst")
        linux.mount(f"/home/.all/{name}", place, None, linux.MS_BIND)
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=666,mode=620")
    _real_folder(Path(HOME) / "data")


def _copy_work(source: int, place: str) -> None:
    target = copies.open_folder(place)
    try:
        copies.copy_folder(source, target)
    finally:
        os.close(target)


def _place_tables(tables: Iterable[str], mounts: Sequence[int]) -> None:
    for name, mount in zip(tables, mounts, strict=True):
        place = Path(HOME) / "data" / name
        for folder in reversed(place.relative_to(HOME).parents[:-1]):
            _real_folder(Path(HOME) / folder)
        if stat.S_ISDIR(os.fstat(mount).st_mode):
            _real_folder(place)
        else:
            if place.is_symlink():
                place.unlink()
            place.touch()
        linux.attach(mount, str(place))
        linux.protect(str(place))


def _real_folder(place: Path) -> None:
    """Make a folder. In the copy of a work folder, a link of the notebook's may stand there, to anywhere."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    place.mkdir(exist_ok=True)


def _live(order: dict[str, Any], channel: int, errands: int, serve: Serve) -> NoReturn:
    """Become the kernel: give up every privilege, then serve its channel."""
    try:
        linux.die_with_parent()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        linux.close_all_but([channel, errands, *order.get("writable", ())])
        move_in(order)
        _give_up(order)
        serve(channel, errands, order)
    except BaseException as error:  # noqa: BLE001 - the copy of another process must not go on as that one
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(errands)) as end:
            line.send(end, {"failed": f"{type(error).__name__}: {error}"[:500]})
    finally:
        os._exit(1)


def move_in(order: dict[str, Any]) -> None:
    """Go to the work folder; without a file system of one's own, it is home too."""
    if "work" in order:
        os.environ |= {"HOME": order["work"], "TMPDIR": order["scratch"]}
        tempfile.tempdir = None
    os.chdir(order.get("work", HOME))


def _give_up(order: dict[str, Any]) -> None:
    """Limits, capabilities, Landlock, and the filter of system calls, in this order: each needs what the next takes."""
    limits = order["limits"]
    bounds = {
        # What the template has set aside is shared by all its kernels and counts for none.
        resource.RLIMIT_DATA: limits["memory_bytes"] + set_aside_bytes(),
        resource.RLIMIT_FSIZE: limits["disk_bytes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: min(_DESCRIPTORS, order["descriptors"]),
        # Linux counts these for all processes of a user together, those outside of sandboxes too.
        resource.RLIMIT_SIGPENDING: _SIGNALS,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    namespaces = _has_namespaces(order)
    if namespaces:
        # Counted per user namespace. Without one it would count the person's other programs.
        bounds[resource.RLIMIT_NPROC] = limits["processes"]
    for kind, value in bounds.items():
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))
    if order["rung"] == "trusted":
        return
    linux.no_new_privileges()
    linux.drop_capabilities()
    if namespaces:
        landlock.restrict(_READABLE, order["writable"], tcp=order["network"])
        line.close(order["writable"])
    else:
        landlock.restrict(order["readable"], (order["folder"], *_DEVICES), tcp=order["network"])
    # A network that is the machine's has the abstract sockets of its programs, as a desktop's bus.
    only_pairs = order["network"] and landlock.version() < landlock.SCOPES_SINCE
    seccomp.install(network=order["network"], namespaces=namespaces, only_pairs=only_pairs)
    linux.set_dumpable(True)


# --- the first process -----------------------------------------------------------------------------------


class _Init:
    """Waits for orders, for the end of the kernel, and for limits to be passed."""

    def __init__(
        self, end: socket.socket, errands: socket.socket, order: dict[str, Any], kernel: int, held: Mapping[str, int]
    ) -> None:
        self._end, self._errands, self._order, self._kernel, self._held = end, errands, order, kernel, held
        self._pidfd = os.pidfd_open(kernel)
        self._limits: dict[str, Any] = order["limits"]
        self._own = _has_namespaces(order)
        self._ended = False
        self._branches: set[int] = set()
        self._strangers: dict[int, dict[int, int | None]] = {}
        """Without namespaces: kernels of branches, and of theirs, with when they were started, by the first process of
        the branch. They may be our descendants but are not our business."""
        self._announced: dict[int, int] = {}
        """Descriptors on which first processes of branches say who those kernels are."""
        self._tell = -1
        """Where to say so in turn, for a branch."""
        self._usage = Usage(self._limits, self._processes)
        self._said = ""
        self._branched = 0
        self._also: list[int] = []
        """Descriptors that have something to read when `_reap` has something to do."""

    def watch(self) -> NoReturn:
        waker, wake = socket.socketpair()
        wake.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        errand = self._errands.fileno()
        group = self._order.get("group", {})
        bell, alarm = ([group[key]] if key in group else [] for key in ("bell", "alarm"))
        if "members" in group:
            # While the kernel gets ready: it has memory of its own only from its first cell on.
            cgroups.enter(group.pop("members"), (0, self._kernel))
        with contextlib.suppress(OSError):
            line.send(self._end, {"is": "up"})
        self._reap()
        listening = True
        while True:
            waits = [waker.fileno(), *self._also] + ([self._end.fileno()] if listening else [])
            waits += [*self._announced] + ([] if self._own or self._ended else [errand])
            waits += [] if self._ended else bell
            ready = readable(waits, None if self._ended else self._usage.interval_s, [] if self._ended else alarm)
            if waker.fileno() in ready:
                waker.recv(4096)
            if errand in ready:
                self._hear_kernel()
            self._hear_branches()
            self._reap()
            if not self._ended and (passed := self._memory_ran_out() or self._usage.passed()):
                self._end_kernel(passed)
            if listening and self._end.fileno() in ready:
                received = line.receive(self._end)
                if received is None:
                    listening = False
                    self._end_kernel("")
                else:
                    self._obey(*received)
            if self._ended and not self._branches:
                self._clear()

    def _obey(self, order: dict[str, Any], descriptors: list[int]) -> None:
        try:
            if order.get("do") == "interrupt" and not self._ended:
                self._interrupt()
            elif order.get("do") == "tables":
                self._place(order["names"], descriptors)
            elif order.get("do") == "end":
                self._end_kernel("")
            elif order.get("do") == "branch" and not self._ended:
                try:
                    self._branch(order, descriptors)
                except OSError as error:
                    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptors[0])) as inner:
                        line.send(inner, {"is": "failed", "why": _words(error)})
        finally:
            line.close(descriptors)

    def _interrupt(self) -> None:
        """As a terminal does it: the kernel and what is in its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            try:
                signal.pidfd_send_signal(self._pidfd, signal.SIGINT, None, _PROCESS_GROUP)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                os.killpg(self._kernel, signal.SIGINT)  # before Linux 6.9

    def _hear_kernel(self) -> None:
        """What the kernel says over its line: why it failed. Whoever else can write there may say it too."""
        with contextlib.suppress(OSError):
            received = line.receive(self._errands, socket.MSG_DONTWAIT)
            if received is None:
                return
            line.close(received[1])
            self._said = _harmless(str(received[0].get("failed", self._said)))

    def _hear_branches(self) -> None:
        """Which kernels the first processes of branches have: they know it from Linux, not from the kernels."""
        for descriptor in readable(list(self._announced), 0) if self._announced else ():
            said = os.read(descriptor, 1 << 16)
            if not said:
                del self._announced[descriptor]
                os.close(descriptor)
                continue
            known = self._strangers.setdefault(self._announced[descriptor], {})
            known |= {int(pid): started(int(pid)) for pid in said.split()}
            if self._tell >= 0:
                with contextlib.suppress(BrokenPipeError):
                    os.write(self._tell, said)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                child = found.si_pid
                # The kernel of a branch becomes a child of ours. Its time is the branch's.
                is_ours = not self._is_strange(child)
                _, status, used = os.wait4(child, 0)
                if child in self._branches:
                    self._branches.discard(child)
                    self._forget(child)
                elif is_ours:
                    self._usage.waited_s += used.ru_utime + used.ru_stime
                if child == self._kernel and not self._ended:
                    self._has_ended(os.waitstatus_to_exitcode(status), "")

    def _is_strange(self, pid: int) -> bool:
        return is_nested(pid) if self._own else any(pid in kernels for kernels in self._strangers.values())

    def _all_strangers(self) -> set[int]:
        return {pid for kernels in self._strangers.values() for pid in kernels}

    def _forget(self, branch: int) -> None:
        """A branch's first process has ended. Without namespaces it may have been killed, and its kernel be there."""
        kernels = self._strangers.get(branch, {})
        alive = descendants(os.getpid())
        for kernel, start in kernels.items():
            if kernel in alive and started(kernel) == start:
                for pid, its_start in [(kernel, start), *((pid, started(pid)) for pid in descendants(kernel))]:
                    end(pid, its_start)
        # Who has ended and is not waited for by its parent is counted by nobody.
        self._strangers[branch] = {pid: start for pid, start in kernels.items() if started(pid) == start}
        if not self._strangers[branch]:
            del self._strangers[branch]

    def _has_ended(self, status: int | None, limit: str) -> None:
        self._ended = True
        self._hear_kernel()
        if not limit and status == -signal.SIGKILL:
            limit = self._memory_ran_out()
        with contextlib.suppress(OSError):
            line.send(self._end, {"is": "ended", "status": status, "limit": limit, "said": self._said})

    def _memory_ran_out(self) -> str:
        group = self._order.get("group", {})
        ran_out = any(cgroups.ran_out(group[key]) for key in ("bell", "alarm") if key in group)
        return f"memory: {self._limits['memory_bytes'] >> 20} MiB" if ran_out else ""

    def _end_kernel(self, limit: str) -> None:
        """Kill the kernel and what it started, but none of its branches."""
        if not self._ended:
            self._has_ended(-signal.SIGKILL, limit)
        deadline = time.monotonic() + _ENDED_S
        while time.monotonic() < deadline:
            self._hear_branches()
            self._kill()
            self._reap()
            if not self._processes():
                return
            time.sleep(0.002)

    def _kill(self) -> None:
        if self._own and not self._branches:
            # All at once: who kills one after the other may run after a bomb of forks for long.
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            return
        starts = {pid: started(pid) for pid in self._processes()}
        still = set(self._processes())
        for pid, start in starts.items():
            if pid in still:
                end(pid, start)

    def _processes(self) -> list[int]:
        """Processes of this sandbox, and not of a sandbox in it."""
        if self._own:
            return [pid for pid in numbers("/proc") if pid != 1 and not (self._branches and is_nested(pid))]
        return descendants(os.getpid(), but={*self._branches, *self._all_strangers()})

    def _clear(self) -> NoReturn:
        """Leave nothing behind."""
        if not self._own:
            self._end_kernel("")
            shutil.rmtree(self._order["leaves"], ignore_errors=True)
        os._exit(0)

    def _place(self, names: list[str], mounts: list[int]) -> None:
        """Tables for a kernel that was started before it was known who would use it."""
        answer = {"is": "placed"}
        try:
            _place_tables(names, mounts)
            self._order["tables"] = dict.fromkeys(names, "")
            self._held = dict(zip(names, map(os.dup, mounts), strict=True))
        except OSError as error:
            answer["why"] = str(error)
        with contextlib.suppress(OSError):
            line.send(self._end, answer)

    # --- branches ---

    def _branch(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Make the sandbox of a branch, and ask the kernel to fork itself into it."""
        inner_end, channel = descriptors
        errands, theirs = line.pair()
        errands.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ready, is_ready = os.pipe()
        merged = {**self._order, **order}
        if "group" in self._order:
            # Branches are in the group of their family, so each is watched for itself from now on.
            merged["limits"] = self._limits = {**self._limits, "watch_memory": True}
            waited_s, self._usage = self._usage.waited_s, Usage(self._limits, self._processes)
            self._usage.waited_s = waited_s
            self._branched += 1
            with contextlib.suppress(OSError):
                os.write(self._order["group"]["bound"], str(group_bytes(self._limits) * (1 + self._branched)).encode())
        if self._own:
            home = copies.open_folder(HOME)
            held = {name: linux.detached_copy(mount) for name, mount in self._held.items()}
            child = linux.clone(linux.NEWUSER | linux.NEWNS | linux.NEWPID)
        else:
            home, held = os.dup(self._held[""]), {}
            child = os.fork()
        if child == 0:
            os.close(ready)
            _be_branch(merged, socket.socket(fileno=inner_end), errands, (home, held), is_ready)
        self._branches.add(child)
        os.close(is_ready)
        errands.close()
        line.close([home, *held.values()])
        try:
            self._ask_kernel_to_branch(child, _said_by(ready), merged, [channel, theirs.fileno()])
        finally:
            theirs.close()
            if self._own:
                os.close(ready)
            else:
                self._announced[ready] = child

    def _ask_kernel_to_branch(self, child: int, said: str, order: dict[str, Any], ends: Sequence[int]) -> None:
        if said != "ready":
            os.kill(child, signal.SIGKILL)
            raise OSError(said)
        kinds = ("user", "mnt", "pid") if self._own else ()
        spaces = [os.open(f"/proc/{child}/ns/{kind}", os.O_RDONLY) for kind in kinds]
        try:
            errand: dict[str, Any] = {
                key: order[key] for key in ("do", "work", "scratch", "seed", "reseed") if key in order
            }
            line.send(self._errands, errand, [*ends, *spaces])
        finally:
            line.close(spaces)


def _said_by(branch: int) -> str:
    """The first word of a branch's first process on a pipe: "ready", or what went wrong."""
    if not readable([branch], _COPIED_S):
        return f"the work folder could not be copied in {_COPIED_S:g} s"
    return os.read(branch, 1 << 12).decode(errors="replace") or "its first process has ended"


def _be_branch(
    order: dict[str, Any],
    end: socket.socket,
    errands: socket.socket,
    lent: tuple[int, dict[str, int]],
    is_ready: int,
) -> NoReturn:
    """The first process of a branch: lays out, waits until the kernel's fork has come in, and watches over it."""
    try:
        order.pop("group", None)  # the outer sandbox attends to it
        home, held = lent
        own = _has_namespaces(order)
        if own:
            _become_first((_UID, _UID))
            _lay_out(order, copy_of=home)
            _place_tables(order["tables"], list(held.values()))
            os.close(home)
        else:
            order["leaves"] = order["work"]
            os.mkdir(order["work"], 0o700)  # noqa: PTH102
            _copy_work(home, order["work"])
            os.close(home)
            held = _held(order, ())
        os.write(is_ready, b"ready")
        kernel = _entered(errands)
        linux.set_dumpable(False)
        init = _BranchInit(end, errands, order, kernel, held)
        if own:
            os.close(is_ready)
        else:
            init.announce(is_ready)
        init.watch()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program must hear of it
        with contextlib.suppress(OSError):
            line.send(end, {"is": "failed", "why": _words(error)})
        with contextlib.suppress(OSError):
            os.write(is_ready, _words(error).encode())
    os._exit(1)


def _entered(errands: socket.socket) -> int:
    """The process that the kernel forked into this sandbox, by what Linux says of the sender of its word.

    Of what the kernel says itself nothing is taken: it could name a process that is none of its own, to have it
    killed in its place. Raises TimeoutError when no process of this sandbox speaks.
    """
    if readable([errands.fileno()], _ENTERED_S):
        kernel = line.sender(errands)
        errands.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 0)
        if kernel not in {0, os.getpid()}:
            return kernel
    raise TimeoutError("the kernel did not branch; is a cell still running?")


class _BranchInit(_Init):
    """As `_Init`, for a kernel that is no child of this process: its end is seen on a descriptor of it."""

    def announce(self, tell: int) -> None:
        """Say above whose kernel is nobody's business there, now and of each branch of this one."""
        self._tell = tell
        os.write(tell, f"{self._kernel}\n".encode())

    def watch(self) -> NoReturn:
        self._also = [os.dup(self._pidfd)]
        super().watch()

    def _processes(self) -> list[int]:
        return super()._processes() if self._own else [] if self._ended and not self._also else self._line_of_kernel()

    def _line_of_kernel(self) -> list[int]:
        alive = [self._kernel] if not readable(self._also, 0) else []
        return [*alive, *descendants(self._kernel, but=self._all_strangers())]

    def _reap(self) -> None:
        super()._reap()
        if not self._ended and readable(self._also, 0):
            self._has_ended(None, "")
            line.close(self._also)
            self._also = []


def group_bytes(limits: dict[str, Any]) -> int:
    """Memory for a group: what the kernel may use, its files, which are in memory, and our own needs."""
    return int(limits["memory_bytes"] + limits["disk_bytes"] + _OWN_BYTES)


def enter(spaces: Sequence[int]) -> None:
    """In the kernel's fork: go into the namespaces of a branch. What it forks next is in them for good."""
    for descriptor, kind in zip(spaces, (linux.NEWUSER, linux.NEWNS, linux.NEWPID), strict=False):
        linux.setns(descriptor, kind)
