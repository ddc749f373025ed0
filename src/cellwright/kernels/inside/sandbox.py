"""The first process of a sandbox: lays out what the kernel sees, forks it, watches over it, and makes its branches.

With namespaces it is process 1 of its own; it keeps privileges over its namespaces that the kernel gives up, takes
orders from the program's line only, and everything in the sandbox ends when it does. Without namespaces it is the
parent of all that the kernel starts, and ends it by name.

A branch is a sandbox in a sandbox: its first process is forked here, with namespaces of its own, and the kernel forks
itself into them. So a parent kernel may end before its branches; the outer sandbox stays until the last has gone.
"""

import contextlib
import os
import resource
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NoReturn

from . import cgroups, landlock, line, linux, seccomp

HOME = "/home/analyst"
_UID = 1000
_WATCH_EVERY_S = 0.25
_OWN_BYTES = 64 << 20
_INODES_PER_BYTE = 1 / 8192
_ENTERED_S = 10.0
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
        errands, theirs = line.pair()
        kernel = os.fork()
        if kernel == 0:
            _live(order, descriptors[1], theirs.fileno(), serve)
        theirs.close()
        line.close([descriptors[1], *mounts, *order.get("writable", ())])
        _Init(end, errands, order, kernel).watch()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program must hear of it
        with contextlib.suppress(OSError):
            line.send(end, {"is": "failed", "why": f"{type(error).__name__}: {error}"})
    os._exit(1)


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
            shutil.copytree(f"/proc/self/fd/{copy_of}", "/home/.all/analyst", symlinks=True, dirs_exist_ok=True)
        linux.mount(f"/home/.all/{name}", place, None, linux.MS_BIND)
    linux.mount("devpts", "/dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=666,mode=620")
    os.makedirs(f"{HOME}/data", exist_ok=True)  # noqa: PTH103


def _place_tables(tables: Iterable[str], mounts: list[int]) -> None:
    for name, mount in zip(tables, mounts, strict=True):
        place = f"{HOME}/data/{name}"
        os.makedirs(os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        with open(place, "w"):  # noqa: PTH123
            pass
        linux.attach(mount, place)
        linux.protect(place)


def _live(order: dict[str, Any], channel: int, errands: int, serve: Serve) -> NoReturn:
    """Become the kernel: give up every privilege, then serve its channel."""
    try:
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
        resource.RLIMIT_DATA: limits["memory_bytes"] + _set_aside_bytes(),
        resource.RLIMIT_FSIZE: limits["disk_bytes"],
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 4096,
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
    seccomp.install(seccomp.families(internet=namespaces or order["network"]))
    linux.set_dumpable(True)


# --- the first process -----------------------------------------------------------------------------------


class _Init:
    """Waits for orders, for the end of the kernel, and for limits to be passed."""

    def __init__(self, end: socket.socket, errands: socket.socket, order: dict[str, Any], kernel: int) -> None:
        self._end, self._errands, self._order, self._kernel = end, errands, order, kernel
        self._limits: dict[str, Any] = order["limits"]
        self._own = _has_namespaces(order)
        self._ended = False
        self._branches: set[int] = set()
        self._strangers: set[int] = set()
        """Without namespaces: kernels of branches, which are our descendants but not our business."""
        self._usage = Usage(self._limits)
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
            waits += [] if self._own or self._ended else [errand]
            waits += [] if self._ended else bell
            ready = readable(waits, None if self._ended else self._usage.interval_s, [] if self._ended else alarm)
            if waker.fileno() in ready:
                waker.recv(4096)
            if errand in ready:
                self._hear_kernel()
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
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._kernel, signal.SIGINT)
            elif order.get("do") == "tables":
                self._place(order["names"], descriptors)
            elif order.get("do") == "end":
                self._end_kernel("")
            elif order.get("do") == "branch" and not self._ended:
                try:
                    self._branch(order, descriptors)
                except OSError as error:
                    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(descriptors[0])) as inner:
                        line.send(inner, {"is": "failed", "why": str(error)})
        finally:
            line.close(descriptors)

    def _hear_kernel(self) -> None:
        """What the kernel says over its line: that it has branched, or why it failed."""
        with contextlib.suppress(OSError):
            received = line.receive(self._errands, socket.MSG_DONTWAIT)
            if received is None:
                return
            line.close(received[1])
            self._said = str(received[0].get("failed", self._said))
            if isinstance(received[0].get("branched"), int):
                self._strangers.add(received[0]["branched"])

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while True:
                child, status = os.waitpid(-1, os.WNOHANG)
                if not child:
                    return
                if child == self._kernel and not self._ended:
                    self._has_ended(os.waitstatus_to_exitcode(status), "")
                self._branches.discard(child)

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
        for _ in range(100):
            found = self._processes()
            if not found:
                return
            for pid in found:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._reap()
            time.sleep(0.002)

    def _processes(self) -> list[int]:
        """Processes of this sandbox, and not of a sandbox in it."""
        if self._own:
            return [pid for pid in _numbers("/proc") if pid != 1 and not _is_nested(pid)]
        return descendants(os.getpid(), but={*self._branches, *self._strangers})

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
        except OSError as error:
            answer["why"] = str(error)
        with contextlib.suppress(OSError):
            line.send(self._end, answer)

    # --- branches ---

    def _branch(self, order: dict[str, Any], descriptors: list[int]) -> None:
        """Make the sandbox of a branch, and ask the kernel to fork itself into it."""
        inner_end, channel = descriptors
        errands, theirs = line.pair()
        ready, is_ready = os.pipe()
        merged = {**self._order, **order}
        if "group" in self._order:
            # Branches are in the group of their family, so each is watched for itself from now on.
            merged["limits"] = self._limits = {**self._limits, "watch_memory": True}
            self._usage = Usage(self._limits)
            self._branched += 1
            with contextlib.suppress(OSError):
                os.write(self._order["group"]["bound"], str(group_bytes(self._limits) * (1 + self._branched)).encode())
        if self._own:
            home = os.open(HOME, os.O_RDONLY | os.O_DIRECTORY)
            tables = {name: linux.detached_copy(f"{HOME}/data/{name}") for name in self._order["tables"]}
            child = linux.clone(linux.NEWUSER | linux.NEWNS | linux.NEWPID)
        else:
            home, tables = -1, {}
            child = os.fork()
        if child == 0:
            _be_branch(merged, socket.socket(fileno=inner_end), errands, (home, tables), is_ready)
        self._branches.add(child)
        os.close(is_ready)
        message = os.read(ready, 1000)
        os.close(ready)
        if message != b"ready":
            line.send(socket.socket(fileno=os.dup(inner_end)), {"is": "failed", "why": message.decode()})
        else:
            kinds = ("user", "mnt", "pid") if self._own else ()
            spaces = [os.open(f"/proc/{child}/ns/{kind}", os.O_RDONLY) for kind in kinds]
            with contextlib.suppress(OSError):
                line.send(
                    self._errands,
                    {key: merged[key] for key in ("do", "work", "scratch", "seed", "reseed") if key in merged},
                    [channel, theirs.fileno(), *spaces],
                )
            line.close(spaces)
        errands.close()
        theirs.close()
        line.close([home, *tables.values()] if self._own else [])


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
        home, tables = lent
        own = _has_namespaces(order)
        if own:
            _become_first((_UID, _UID))
            _lay_out(order, copy_of=home)
            _place_tables(order["tables"], list(tables.values()))
        else:
            order["leaves"] = order["work"]
            shutil.copytree(order["from"], order["work"], symlinks=True, dirs_exist_ok=True)
        os.write(is_ready, b"ready")
        os.close(is_ready)
        line.close([home, *tables.values()] if own else [])
        kernel = _entered(errands)
        linux.set_dumpable(False)
        _BranchInit(end, errands, order, kernel).watch()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the program must hear of it
        with contextlib.suppress(OSError):
            os.write(is_ready, f"{type(error).__name__}: {error}".encode())
        with contextlib.suppress(OSError):
            line.send(end, {"is": "failed", "why": f"{type(error).__name__}: {error}"})
    os._exit(1)


def _entered(errands: socket.socket) -> int:
    """The process that the kernel forked into this sandbox. Raises TimeoutError when none comes."""
    if readable([errands.fileno()], _ENTERED_S):
        errands.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        received = line.receive(errands)
        if received is not None and isinstance(received[0].get("pid"), int):
            return int(received[0]["pid"])
    raise TimeoutError("the kernel did not branch; is a cell still running?")


class _BranchInit(_Init):
    """As `_Init`, for a kernel that is no child of this process: its end is seen on a descriptor of it."""

    def watch(self) -> NoReturn:
        self._also = [os.pidfd_open(self._kernel)]
        super().watch()

    def _processes(self) -> list[int]:
        return super()._processes() if self._own else [] if self._ended and not self._also else self._line_of_kernel()

    def _line_of_kernel(self) -> list[int]:
        alive = [self._kernel] if not readable(self._also, 0) else []
        return [*alive, *descendants(self._kernel, but=self._strangers)]

    def _reap(self) -> None:
        super()._reap()
        if not self._ended and readable(self._also, 0):
            self._has_ended(None, "")
            line.close(self._also)
            self._also = []


# --- who uses what --------------------------------------------------------------------------------------------


def group_bytes(limits: dict[str, Any]) -> int:
    """Memory for a group: what the kernel may use, its files, which are in memory, and our own needs."""
    return int(limits["memory_bytes"] + limits["disk_bytes"] + _OWN_BYTES)


class Usage:
    """Watches what all processes of a sandbox use together, where the system does not do it for us."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._limits = limits
        self._started = time.monotonic()
        self._watched = bool(limits.get("cpu_s") or limits.get("wall_s") or limits.get("watch_memory"))
        self._base: int | None = None

    @property
    def interval_s(self) -> float | None:
        return _WATCH_EVERY_S if self._watched else None

    def passed(self) -> str:
        """The limit that was passed, by name and value; empty while none is."""
        if not self._watched:
            return ""
        wall, cpu, memory = (self._limits.get(key) for key in ("wall_s", "cpu_s", "memory_bytes"))
        if wall and time.monotonic() - self._started > wall:
            return f"wall time: {wall:g} s"
        pids = (
            [pid for pid in _numbers("/proc") if pid != os.getpid()] if os.getpid() == 1 else descendants(os.getpid())
        )
        if cpu and _cpu_s(pids) > cpu:
            return f"CPU time: {cpu:g} s"
        if self._limits.get("watch_memory") and memory:
            used = sum(_anonymous_bytes(pid) for pid in pids)
            if self._base is None:
                self._base = used
            if used - self._base > memory and sum(_proportional_bytes(pid) for pid in pids) > memory:
                return f"memory: {memory >> 20} MiB"
        return ""


def _numbers(folder: str) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(name) for name in os.listdir(folder) if name.isdigit()]  # noqa: PTH208
    return []


def _field(path: str, name: str) -> str:
    with contextlib.suppress(OSError), open(path) as file:  # noqa: PTH123
        for text in file:
            if text.startswith(name):
                return text.split(":", 1)[1]
    return ""


def _set_aside_bytes() -> int:
    return int((_field("/proc/self/status", "VmData:").split() or ["0"])[0]) << 10


def _is_nested(pid: int) -> bool:
    """Whether a process is in a process namespace below ours."""
    return len(_field(f"/proc/{pid}/status", "NSpid:").split()) > 1


def _anonymous_bytes(pid: int) -> int:
    return (
        sum(int((_field(f"/proc/{pid}/status", name).split() or ["0"])[0]) for name in ("RssAnon:", "RssShmem:")) << 10
    )


def _proportional_bytes(pid: int) -> int:
    return int((_field(f"/proc/{pid}/smaps_rollup", "Pss:").split() or ["0"])[0]) << 10


def _cpu_s(pids: Sequence[int]) -> float:
    ticks = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            ticks += sum(int(part) for part in file.read().rpartition(")")[2].split()[11:15])
    gone = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ticks / os.sysconf("SC_CLK_TCK") + gone.ru_utime + gone.ru_stime


def descendants(pid: int, but: Collection[int] = ()) -> list[int]:
    """What `pid` started, and what that started, without those of `but` and what they started."""
    children: dict[int, list[int]] = {}
    for child in _numbers("/proc"):
        with contextlib.suppress(OSError, ValueError), open(f"/proc/{child}/stat") as file:  # noqa: PTH123
            # The name, in parentheses, may hold spaces and parentheses; the parent is the second field after it.
            children.setdefault(int(file.read().rpartition(")")[2].split()[1]), []).append(child)
    found, waiting = [], list(children.get(pid, ()))
    while waiting:
        child = waiting.pop()
        if child not in but:
            found.append(child)
            waiting += children.get(child, ())
    return found


def enter(spaces: Sequence[int]) -> None:
    """In the kernel's fork: go into the namespaces of a branch. What it forks next is in them for good."""
    for descriptor, kind in zip(spaces, (linux.NEWUSER, linux.NEWNS, linux.NEWPID), strict=False):
        linux.setns(descriptor, kind)
