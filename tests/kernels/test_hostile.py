"""Code that means harm: what it tries, what it sees, and that nobody else notices.

An attack is a cell. It runs in a kernel beside a witness, whose state must be as it was afterwards; the program and its
template must be unharmed too (`unharmed`). What it prints is what came of each attempt: mostly the name of a refusal.
"""

import contextlib
import os
import resource
import socket
import sys
import tempfile
import time
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellwright.agent.observation import clean
from cellwright.core.errors import KernelDied
from cellwright.core.types import CellResult
from cellwright.kernels import KernelSettings
from cellwright.kernels.inside.linux import MACHINE

from .bench import Bench, Laboratory, open_pool, rungs

_TOOLS = '''
import ctypes, errno, fcntl, os, resource, signal, socket, subprocess, sys, time
_libc = ctypes.CDLL(None, use_errno=True)

def tried(attempt, *arguments):
    """What an attempt gives, or the name of what refused it."""
    try:
        return attempt(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, type(error).__name__)
    except Exception as error:
        return type(error).__name__

def call(number, *arguments):
    """Make a system call by its number."""
    result = _libc.syscall(ctypes.c_long(number), *[ctypes.c_long(argument) for argument in arguments])
    return errno.errorcode[ctypes.get_errno()] if result < 0 else result
'''
_NO_NETWORK = {"ENETUNREACH", "EADDRNOTAVAIL", "ENOTSUP", "EACCES"}
_NO_FAMILY = {"EPERM", "ENOTSUP", "EPROTONOSUPPORT"}
_NO_SUCH_THING = {"ENOENT", "EACCES", "EPERM", "ECONNREFUSED", "ENOTSUP"}
_NO_SUCH_PROCESS = {"ESRCH", "EPERM"}


pytestmark = pytest.mark.parametrize("laboratory", rungs(), indirect=True, scope="session")


@pytest.fixture(scope="module")
def attacker(laboratory: Laboratory) -> Iterator[Bench]:
    """One kernel for all attacks that it survives."""
    with laboratory.kernel() as bench:
        assert bench(_TOOLS).status == "ok"
        yield bench


@pytest.fixture(scope="module")
def witness(laboratory: Laboratory) -> Iterator[Bench]:
    """A kernel beside the attacker's."""
    with laboratory.kernel() as bench:
        assert bench(f"{_TOOLS}\nkept = list(range(1000)); _ = open('kept', 'w').write('kept')").status == "ok"
        yield bench


@pytest.fixture(autouse=True)
def unharmed(laboratory: Laboratory, witness: Bench) -> Iterator[None]:
    """After each attack the witness is as it was, and the template that was there starts the next kernel."""
    before = children_of_ours()
    yield
    assert witness.value("sum(kept), open('kept').read()") == "(499500, 'kept')"
    with laboratory.kernel() as another:
        assert another.value("6 * 7") == "42"
    assert children_of_ours() >= before


def children_of_ours() -> set[int]:
    return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))


def said(cell: Bench, code: str) -> str:
    """What a cell printed that ran to its end."""
    result = cell(code)
    assert result.status == "ok", result
    return result.stdout.strip()


def words(cell: Bench, code: str) -> set[str]:
    return set(said(cell, code).split())


# --- network and sockets -----------------------------------------------------------------------------


def test_no_datagram_gets_out(attacker: Bench) -> None:
    """UDP reaches neither another machine nor a program on this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        targets = [("192.0.2.1", 53), ("255.255.255.255", 9), ("127.0.0.1", listener.getsockname()[1])]
        code = f"for a in {targets!r}: print(tried(lambda: socket.socket(2, socket.SOCK_DGRAM).sendto(b'x', a)))"
        assert words(attacker, code) <= _NO_NETWORK
        with pytest.raises(BlockingIOError):
            listener.recv(1)


def test_no_connection_is_made_or_taken(attacker: Bench) -> None:
    """TCP reaches no program of this machine, and no port is opened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = (
            f"print(tried(lambda: socket.create_connection(('127.0.0.1', {port}), 2)),"
            "tried(lambda: socket.create_server(('127.0.0.1', 0))), tried(lambda: socket.create_server(('', 8080))))"
        )
        assert words(attacker, code) <= _NO_NETWORK


def test_sockets_below_the_network_cannot_be_made(attacker: Bench) -> None:
    """Raw, packet, netlink, vsock, crypto, Bluetooth and other families are refused."""
    kinds = [(2, 3), (10, 3), (17, 3), (16, 3), (40, 1), (38, 5), (31, 1), (15, 3), (44, 3), (45, 1), (30, 2), (21, 2)]
    code = f"for kind in {kinds!r}: print(tried(socket.socket, *kind))"
    assert words(attacker, code) <= _NO_FAMILY


def test_network_that_is_asked_for_is_there(laboratory: Laboratory) -> None:
    """With `network`, a kernel reaches a server; sockets below it stay refused."""

    async def scenario(code: str) -> tuple[CellResult, CellResult]:
        async with open_pool(laboratory.kind, 1) as pool, pool.kernel(KernelSettings(network=True)) as kernel:
            return await kernel.execute(_TOOLS + code), await kernel.execute(
                "for k in ((2, 3), (17, 3), (16, 3)): print(tried(socket.socket, *k))"
            )

    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5).sendall(b'hello')"
        result, odd = laboratory.run(scenario(code))
        assert result.status == "ok", result
        assert set(odd.stdout.split()) <= _NO_FAMILY
        connection, _ = server.accept()
        with connection:
            assert connection.recv(10) == b"hello"


def test_sockets_of_the_machine_cannot_be_reached(attacker: Bench) -> None:
    """Unix sockets of other programs, by path or abstract, of both kinds: a desktop's bus would start programs."""
    name = uuid.uuid4().hex
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cw"))
        Path(folder).chmod(0o755)
        listeners = []
        for kind, place in ((1, f"{folder}/s"), (2, f"{folder}/d"), (1, f"\0{name}s"), (2, f"\0{name}d")):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX, kind))
            listener.setblocking(False)
            listener.bind(place)
            if kind == 1:
                listener.listen()
            if place[0] != "\0":
                Path(place).chmod(0o777)
            listeners.append((kind, place, listener))
        targets = [(kind, place) for kind, place, _ in listeners]
        code = (
            f"for kind, place in {targets!r}:\n"
            "    print(tried(lambda: socket.socket(1, kind).connect(place)))\n"
            "    print(tried(lambda: socket.socketpair(1, kind)[0].connect(place)))\n"
            "    if kind == 2: print(tried(lambda: socket.socketpair(1, kind)[0].sendto(b'x', place)))\n"
        )
        assert words(attacker, code) <= _NO_SUCH_THING | {"EISCONN", "EPROTONOSUPPORT"}
        for kind, _, listener in listeners:
            with pytest.raises(BlockingIOError):
                _ = listener.accept() if kind == 1 else listener.recv(1)


def test_sockets_of_a_neighbour_cannot_be_reached(attacker: Bench, witness: Bench) -> None:
    """What one kernel listens on, by name, by path or by port, another cannot talk to."""
    name = uuid.uuid4().hex
    listen = (
        "listeners = []\n"
        "def listen(family, kind, address):\n"
        "    found = socket.socket(family, kind); listeners.append(found); found.bind(address)\n"
        "    if kind == 1: found.listen()\n"
        f"for address in ('\\0{name}', os.path.abspath('s')): tried(listen, 1, 1, address)\n"
        "tried(listen, 2, 2, ('127.0.0.1', 40404))\n"
        "print(os.path.abspath('s'))"
    )
    path = said(witness, listen)
    code = (
        f"for address in ('\\0{name}', {path!r}): print(tried(lambda: socket.socket(1, 1).connect(address)))\n"
        "print(tried(lambda: socket.socket(2, 2).sendto(b'x', ('127.0.0.1', 40404))))"
    )
    assert words(attacker, code) <= _NO_SUCH_THING | _NO_NETWORK


# --- files -------------------------------------------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Iterator[Path]:
    """A file that every user of the machine may read and write, in a folder that they may enter."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        Path(folder).chmod(0o777)
        file = Path(folder) / "secret"
        file.write_text("secret")
        file.chmod(0o666)
        yield file


def test_links_lead_nowhere(attacker: Bench, secret: Path) -> None:
    """Symbolic links, hard links, `..` and open folders do not lead out of the work folder."""
    code = (
        f"secret = {str(secret)!r}\n"
        "os.symlink(secret, 'soft'), os.symlink(os.path.dirname(secret), 'folder')\n"
        "ways = ['soft', 'folder/secret', secret, '../' * 20 + secret, '/proc/self/root' + secret,"
        "        '/proc/self/cwd/soft', '/proc/1/root' + secret]\n"
        "print(*(tried(open, way, mode) for way in ways for mode in ('r', 'w', 'a')))\n"
        "print(tried(os.link, secret, 'hard'), tried(os.link, 'soft', 'hard'), tried(os.rename, secret, 'taken'),"
        "      tried(os.unlink, secret), tried(os.truncate, secret, 0), tried(os.rename, 'soft', secret))\n"
        "print(tried(lambda: os.open(secret.lstrip('/'), os.O_RDWR, dir_fd=os.open('/', os.O_PATH))))\n"
        "os.unlink('soft'), os.unlink('folder'); tried(os.unlink, 'hard')"
    )
    # A hard link to the link itself is one in the work folder.
    assert words(attacker, code) <= {"ENOENT", "EACCES", "EPERM", "EXDEV", "EROFS", "None"}
    assert secret.read_text() == "secret"
    assert [path.name for path in secret.parent.iterdir()] == ["secret"]
    assert secret.stat().st_nlink == 1


def test_nothing_outside_changes_its_rights_or_times(attacker: Bench, secret: Path) -> None:
    """Mode, owner, times and attributes of the person's files stay as they are, also of those that can be read."""
    readable = Path(sys.prefix) / "pyvenv.cfg"
    before = [status(path) for path in (secret, secret.parent, readable)]
    code = (
        f"for path in ({str(secret)!r}, {str(secret.parent)!r}):\n"
        "    tried(os.chmod, path, 0o600), tried(os.chown, path, os.getuid(), os.getgid())\n"
        "    tried(os.utime, path, (1, 1)), tried(os.setxattr, path, 'user.x', b'x')\n"
        f"for path in ({str(readable)!r}, sys.prefix + '/pyvenv.cfg'):\n"
        "    descriptor = tried(os.open, path, os.O_RDONLY)\n"
        "    if isinstance(descriptor, int): tried(os.utime, descriptor, (1, 1)), tried(os.fchmod, descriptor, 0o644)\n"
    )
    said(attacker, code)
    assert [status(path) for path in (secret, secret.parent, readable)] == before


def status(path: Path) -> tuple[object, ...]:
    found = path.stat()
    return (found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, os.listxattr(path))


def test_names_of_files_outside_cannot_be_watched(attacker: Bench, secret: Path) -> None:
    """Notifications would tell what the person does in a folder that the kernel may not read."""
    number = {"x86_64": 294, "aarch64": 26}[MACHINE]
    assert words(attacker, f"print(call({number}, 0))") == {"EPERM"}
    assert words(attacker, f"print(tried(os.listdir, {str(secret.parent)!r}))") <= {"ENOENT", "EACCES"}


def test_branch_of_a_work_folder_full_of_traps(laboratory: Laboratory, secret: Path) -> None:
    """Links where the tables stood, pipes and sockets in the work folder: the branch has its tables, and no more."""
    with laboratory.kernel(KernelSettings(tables={"x.csv": secret})) as cell:
        code = (
            f"{_TOOLS}\n"
            f"tried(os.rename, 'data', 'moved'); tried(os.symlink, {str(secret.parent)!r}, 'data')\n"
            f"os.symlink({str(secret)!r}, 'soft'); os.mkfifo('pipe')\n"
            "tried(lambda: socket.socket(1, 1).bind('socket'))\n"
            "os.mkdir('closed'); open('closed/f', 'w').write('mine'); _ = os.chmod('closed', 0)"
        )
        assert cell(code).status == "ok"
        (branch,) = laboratory.run(cell.kernel.branch())
        found = Bench(laboratory, branch)
        try:
            if laboratory.kind != "landlock":
                assert found.value("open('data/x.csv').read()") == "'secret'"
            assert words(found, "print(tried(open, 'soft'), tried(open, 'data/x.csv', 'w'))") <= _NO_SUCH_THING | {
                "EROFS"
            }
            assert found.value("os.path.exists('pipe')") == "False"
        finally:
            laboratory.run(branch.close())
    assert secret.read_text() == "secret"


# --- /proc and /sys ----------------------------------------------------------------------------------


def test_system_files_cannot_be_written(attacker: Bench) -> None:
    """Switches of the machine and memory of others under /proc and /sys: refused, or not there."""
    places = (
        "/proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger "
        "/proc/sys/user/max_user_namespaces /proc/1/mem /proc/1/oom_score_adj /proc/1/attr/current /proc/1/uid_map "
        "/proc/self/oom_score_adj /proc/self/uid_map /proc/irq/default_smp_affinity "
        "/sys/kernel/uevent_helper /sys/fs/cgroup/cgroup.procs /sys/power/state /dev/mem /dev/kmsg /dev/sda /dev/vda"
    )
    code = f"for place in {places.split()!r}: print(tried(lambda: os.write(os.open(place, os.O_WRONLY), b'1')))"
    assert words(attacker, code) <= {"ENOENT", "EACCES", "EPERM", "EROFS", "EINVAL"}
    with contextlib.suppress(FileNotFoundError):
        assert Path("/proc/sys/kernel/core_pattern").read_text().strip() != "1"


def test_others_cannot_be_looked_into(attacker: Bench) -> None:
    """Memory, environment, folders and descriptors of the first process, of the program and of the system's log."""
    inner = ["mem", "environ", "maps", "root", "cwd", "root/etc/shadow", "fd/0", "fd/3", "fd/8"]
    inner += ["exe", "stack", "syscall", "ns/user", "task/1/mem"]
    places = [f"/proc/{pid}/{name}" for pid in (1, os.getpid(), os.getppid()) for name in inner]
    places += ["/proc/kcore", "/proc/kmsg", "/dev/kmsg", "/dev/mem", "/proc/kpagecount"]
    code = (
        f"for place in {places!r}:\n"
        "    for way in (os.listdir, os.readlink, lambda place: os.read(os.open(place, os.O_RDONLY), 1)):\n"
        "        print(tried(way, place))"
    )
    assert words(attacker, code) <= {"ENOENT", "EACCES", "EPERM", "ENOTDIR", "EINVAL"}


# --- other processes ---------------------------------------------------------------------------------


def victims(witness: Bench) -> list[int]:
    """Processes, by their numbers outside: ours, the templates, their sandboxes."""
    del witness
    found = [os.getpid(), os.getppid()]
    waiting = [*children_of_ours()]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            waiting += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    return found


def test_signals_reach_nobody_else(attacker: Bench, witness: Bench) -> None:
    """By kill, by group, by thread, by descriptor, queued, and as news of a pipe, SIGKILL reaches no other process."""
    mine = int(said(attacker, "print(os.getpid())"))
    others = [pid for pid in victims(witness) if pid != mine]
    numbers = {"x86_64": (234, 129), "aarch64": (131, 138)}[MACHINE]
    code = (
        f"for pid in [1, os.getppid(), *{others!r}]:\n"
        "    if pid == os.getpid(): continue\n"
        "    print(tried(os.kill, pid, 9), tried(os.kill, -pid, 9) if pid > 1 else 'EPERM')\n"
        "    print(tried(lambda: signal.pidfd_send_signal(os.pidfd_open(pid), 9)))\n"
        f"    print(call({numbers[0]}, pid, pid, 9), call({numbers[1]}, pid, 9, 0))\n"
    )
    assert words(attacker, code) <= _NO_SUCH_PROCESS | {"EFAULT"}
    news = (
        f"for pid in [1, os.getppid(), *{others!r}]:\n"
        "    if pid == os.getpid(): continue\n"
        "    reader, writer = os.pipe()\n"
        "    tried(fcntl.fcntl, reader, fcntl.F_SETOWN, pid); tried(fcntl.fcntl, reader, 10, 9)\n"
        "    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)\n"
        "    os.write(writer, b'x'); os.close(reader); os.close(writer)\n"
    )
    said(attacker, news)
    assert attacker("tried(os.kill, -1, signal.SIGCONT)").status == "ok"


def test_a_kernel_that_kills_all_it_can_ends_alone(laboratory: Laboratory) -> None:
    """Its own group is all that it reaches: the cell is dead, and says by what."""
    with laboratory.kernel() as cell:
        result = cell("import os\nos.kill(0, 9)")
        assert (result.status, result.ended_by) == ("dead", "it was ended by SIGKILL")


def test_others_are_not_slowed_or_bounded(attacker: Bench, witness: Bench) -> None:
    """Priorities, processors and limits of other processes of the same user stay as they are."""
    before = circumstances()
    code = (
        f"for pid in [1, os.getppid(), *{victims(witness)!r}]:\n"
        "    if pid == os.getpid(): continue\n"
        "    print(tried(os.setpriority, os.PRIO_PROCESS, pid, 19), tried(os.sched_setaffinity, pid, {0}))\n"
        "    print(tried(os.sched_setscheduler, pid, os.SCHED_IDLE, os.sched_param(0)))\n"
        "    print(tried(resource.prlimit, pid, resource.RLIMIT_NOFILE, (64, 64)))\n"
        "print(tried(os.setpriority, os.PRIO_USER, os.getuid(), 19), tried(os.setpriority, os.PRIO_PGRP, 1, 19))\n"
    )
    assert words(attacker, code) <= {"EPERM", "ESRCH", "EACCES", "ProcessLookupError", "PermissionError"}
    assert circumstances() == before


def circumstances() -> tuple[object, ...]:
    return (
        os.getpriority(os.PRIO_PROCESS, 0),
        os.sched_getscheduler(0),
        os.sched_getaffinity(0),
        resource.getrlimit(resource.RLIMIT_NOFILE),
    )


# Numbers on x86-64 and arm64.
_REFUSED = {
    # the memory, descriptors and keys of others
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # memory that neighbours would share, or that no limit counts
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    # namespaces, mounts, and files by other ways than their paths
    "unshare": (272, 97),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    # large parts of Linux that notebooks do not need
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    # the machine itself
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "sethostname": (170, 161),
    "acct": (163, 89),
}


def test_dangerous_system_calls_are_refused(attacker: Bench) -> None:
    """ptrace, keyrings, System V memory, namespaces, mounts, BPF and the like: EPERM; calls of the future: ENOSYS."""
    column = ("x86_64", "aarch64").index(MACHINE)
    numbers = {name: pair[column] for name, pair in _REFUSED.items()}
    code = f"print({{name: call(number, 0, 0, 0, 0, 0) for name, number in {numbers!r}.items()}})"
    assert said(attacker, code) == str(dict.fromkeys(numbers, "EPERM"))
    clone = (56, 220)[column]
    assert said(attacker, f"print(call({clone}, 0x10000011, 0, 0, 0, 0), call(435, 0, 0), call(999))") == (
        "EPERM ENOSYS ENOSYS"
    )


def test_no_privilege_can_be_had(attacker: Bench) -> None:
    """No other user, no capability, no set-user-id program, no real-time priority."""
    code = (
        "print(tried(os.setresuid, 0, 0, 0) if os.getuid() else 'EPERM', tried(os.setgroups, [0]))\n"
        "print(tried(os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(1)), tried(os.setpriority, 0, 0, -5))\n"
        "print(tried(os.mknod, 'device', 0o20666, os.makedev(1, 1)), tried(os.chroot, '.'))\n"
    )
    assert words(attacker, code) <= {"EPERM", "EINVAL", "EACCES"}
    assert said(attacker, "print(_libc.prctl(39, 0, 0, 0, 0))") == "1"  # PR_GET_NO_NEW_PRIVS


def test_shared_memory_is_not_shared_with_neighbours(attacker: Bench, witness: Bench) -> None:
    """What one kernel puts into /dev/shm another does not see."""
    name = uuid.uuid4().hex
    said(witness, f"tried(lambda: open('/dev/shm/{name}', 'w').write('x'))")
    code = (
        "from multiprocessing import shared_memory\n"
        f"print(tried(open, '/dev/shm/{name}'), tried(shared_memory.SharedMemory, '{name}'))"
    )
    assert words(attacker, code) <= {"ENOENT", "EACCES"}
    assert not Path(f"/dev/shm/{name}").exists()


# --- its own channels --------------------------------------------------------------------------------

_FORGE = """
import sys, time
kernel = get_ipython().kernel
session, iopub, shell, parent = kernel.session, kernel.iopub_socket, kernel.shell_stream, kernel.get_parent()
inside = sys.modules['_cellwright.streams']
inside.BUDGET.message = lambda size: True
inside.BUDGET.bundle = lambda data: data
def forge(kind, content, socket=iopub):
    frames = [session.pack(part) for part in (session.msg_header(kind), parent['header'], {}, content)]
    socket.send_multipart([b'<IDS|MSG>', b'', *frames])
"""


def test_forged_reply_ends_the_cell_and_not_the_next(laboratory: Laboratory) -> None:
    """Code can say of its own cell that it is over. What it sends after that is in no other cell's result."""
    with laboratory.kernel() as cell:
        code = (
            f"{_FORGE}\n"
            "forge('execute_reply', {'status': 'ok'}, shell); forge('status', {'execution_state': 'idle'})\n"
            "forge('stream', {'name': 'stdout', 'text': 'late'}); time.sleep(0.2); print('later'); 1 / 0"
        )
        assert cell(code).status == "ok"
        assert cell("print('next')").stdout == "next\n"
        assert cell("1 / 0").status == "error"


@pytest.mark.parametrize("garbage", ["b'\\xff' * 1000", "b'\\0' * 1000", 'b\'{"is": "ended"}\''])
def test_garbage_on_every_descriptor_costs_only_its_kernel(laboratory: Laboratory, garbage: str) -> None:
    """Bytes that are no message, sent on all that the kernel has open: its cell ends, dead or not, soon."""
    with laboratory.kernel() as cell:
        code = (
            "import os\nfor fd in range(3, 64):\n"
            f"  try: os.set_blocking(fd, False); os.write(fd, {garbage})\n"
            "  except OSError: pass"
        )
        assert cell(code, timeout_s=3).seconds < 8
        with contextlib.suppress(KernelDied):
            cell("1", timeout_s=1)


def test_forged_words_to_the_first_process_are_only_words(laboratory: Laboratory) -> None:
    """On its own line a kernel can say why it fails, in a few plain characters, and give no orders."""
    with laboratory.kernel() as cell:
        code = (
            "import json, os, socket\n"
            "for fd in range(3, 64):\n"
            "  try:\n"
            "    line = socket.socket(fileno=os.dup(fd))\n"
            "    if line.type != socket.SOCK_SEQPACKET: continue\n"
            "    line.setblocking(False)\n"
            "    for word in ({'do': 'branch'}, {'do': 'end'}, {'failed': '\\x1b[2J\\x07' + 'x' * 5000}):\n"
            "      socket.send_fds(line, [json.dumps(word).encode()], [0, 1, 2])\n"
            "  except OSError: pass\n"
            "os._exit(1)"
        )
        result = cell(code)
        assert result.status == "dead"
        assert len(result.ended_by) < 1000
        assert result.ended_by.isprintable(), result.ended_by


def test_descriptors_on_their_way_are_not_used_up(laboratory: Laboratory) -> None:
    """Linux counts those that a user has sent and nobody has taken: a kernel cannot keep the program from sending."""
    code = (
        "import os, socket\n"
        "pairs, sent = [], 0\n"
        "try:\n"
        "  while True:\n"
        "    pairs.append(socket.socketpair())\n"
        "    for _ in range(3): socket.send_fds(pairs[-1][0], [b'x'], [0] * 250); sent += 250\n"
        "except OSError: pass\n"
        "print(sent > 0)"
    )

    async def scenario() -> list[str]:
        async with open_pool(laboratory.kind, 2) as pool, pool.kernel(KernelSettings()) as kernel:
            seen = [(await kernel.execute(code)).stdout]
            async with pool.kernel(KernelSettings()) as another:  # its making sends descriptors
                (branch,) = await another.branch()
                seen.append((await branch.execute("print(1)")).stdout)
                await branch.close()
            return seen

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, before[1]))  # as most machines have it
    try:
        assert laboratory.run(scenario()) == ["True\n", "1\n"]
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


_FLOODS = {
    "display": "forge('display_data', {'data': {'text/plain': 'x' * 1_000_000}, 'metadata': {}})",
    "update": (
        "forge('update_display_data' if i else 'display_data',"
        " {'data': {'text/plain': 'x' * 1_000_000}, 'transient': {'display_id': 'a'}})"
    ),
    "comm": "forge('comm_msg', {'comm_id': 'a', 'data': {'x': 'x' * 1_000_000}})",
    "stream": "forge('stream', {'name': 'stdout', 'text': 'x' * 1_000_000})",
    "reply": "forge('execute_reply', {'status': 'x' * 1_000_000}, shell) if i < 5 else None",
    "nothing": "iopub.send_multipart([b'x' * 1_000_000])",
    "names": "forge('display_data', {'data': {'x' * 1000 + str(n): '' for n in range(900)}})",
}


@pytest.mark.parametrize("flood", _FLOODS)
def test_our_memory_cannot_be_filled(laboratory: Laboratory, flood: str) -> None:
    """60 MB of messages, with the kernel's own bounds taken out: what we keep is bounded."""
    with laboratory.kernel() as cell:
        tracemalloc.start()
        result = cell(f"{_FORGE}\nfor i in range(60): {_FLOODS[flood]}")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert result.status in {"ok", "error"}
        assert peak < 40 << 20
        assert sum(len(str(output)) for output in result.outputs) < 6 << 20
        assert cell("print('again')").stdout == "again\n"


def test_our_memory_cannot_be_filled_between_cells(laboratory: Laboratory) -> None:
    """A thread that floods while no cell runs waits for whoever reads, and what it wrote is in no later result."""
    with laboratory.kernel() as cell:
        code = (
            f"{_FORGE}\nimport threading\n"
            f"def flood():\n    for _ in range(60): {_FLOODS['stream']}\n"
            "threading.Thread(target=flood).start()"
        )
        tracemalloc.start()
        assert cell(code).status == "ok"
        time.sleep(0.2)
        assert cell("print('again')").stdout == "again\n"
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 40 << 20


def test_escapes_of_terminals_are_taken_out(attacker: Bench) -> None:
    """Text that would retitle, clear or answer a terminal: errors come without, and what is shown is clean."""
    escapes = "\\x1b]0;owned\\x07\\x1b[2J\\x1b]52;c;eA==\\x1b\\\\\\x1bP$q\\x1b\\\\\\x9b31m\\x08\\x00\\r\\x1b[6n"
    result = attacker(f"print('{escapes}'); display('{escapes}'); raise ValueError('{escapes}')")
    assert result.error is not None
    shown = [result.stdout, *(o.data.get("text/plain", "") for o in result.outputs), result.error.text]
    shown += result.error.traceback
    for text in map(clean, shown):
        assert all(character.isprintable() or character in "\n\t" for character in text), text
    assert "\x1b" not in result.error.text + "".join(result.error.traceback)


# --- shares of the machine ---------------------------------------------------------------------------


def test_a_crowd_of_busy_processes_leaves_others_their_share(laboratory: Laboratory, witness: Bench) -> None:
    """With twenty processes that never rest beside it, the witness answers within seconds."""
    with laboratory.kernel() as cell:
        code = "import os, time\nfor _ in range(20):\n  if os.fork() == 0:\n    time.sleep(0.5)\n    while True: pass"
        assert cell(code).status == "ok"
        time.sleep(0.6)
        started = time.monotonic()
        assert witness.value("sum(range(1000))") == "499500"
        assert time.monotonic() - started < 5


def test_kernel_that_never_yields_is_killed_at_its_time(laboratory: Laboratory) -> None:
    """It ignores interrupts in every thread and child; the cell ends shortly after its time, and nothing is left."""
    marker = uuid.uuid4().hex
    with laboratory.kernel() as cell:
        code = (
            "import os, signal, subprocess, sys, threading\n"
            f"subprocess.Popen([sys.executable, '-c', 'while True: pass', {marker!r}], start_new_session=True)\n"
            "for number in range(1, 65):\n"
            "  try: signal.signal(number, signal.SIG_IGN)\n"
            "  except (OSError, ValueError): pass\n"
            "while True: pass"
        )
        result = cell(code, timeout_s=0.5)
        assert result.status == "timeout"
        assert result.seconds < 6
    assert not [p for p in Path("/proc").glob("[0-9]*/cmdline") if marker in _read(p)]


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
