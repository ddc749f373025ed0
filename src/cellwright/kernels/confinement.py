"""How a kernel is kept from the machine: the ladder of isolation, and what each rung starts.

Two rungs so far. `bubblewrap`: fresh user, mount, process, network, IPC and host-name namespaces, no capabilities, and
a file system that holds only the system's programs, one Python, and the kernel's own folder. `trusted`: a process.

Not promised on the bubblewrap rung: there is no filter of system calls, so a hole in the Linux kernel is a way out;
memory is bounded for each process, not for all of them together; the size of the work folder as a whole is not bounded;
and where Cellwright runs as root, Linux does not enforce the bound on processes.
"""

import functools
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.errors import KernelStartError, NoSandbox
from cellwright.kernels.folders import Folders
from cellwright.kernels.protocol import Limits

HOME = "/home/analyst"
# No installation stands under these names, so they hide none that a .pth file may point to.
_BASE = "/opt/cellwright/python"
_VENV = "/opt/cellwright/venv"
_LIBRARIES = "/opt/cellwright/lib"
_LAUNCHER = "/opt/cellwright/kernel/inside.py"
_INSIDE = Path(__file__).with_name("inside.py")
_PROBE_TIMEOUT_S = 20.0
# Best first. The second serves a bubblewrap older than 0.8, the third a kernel without user namespaces, as root.
_NAMESPACES = (
    ("--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"),
    ("--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"),
    ("--unshare-all",),
)
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = ("/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives")
# Asked of the interpreter that runs the kernels. The modules are those that need libraries from outside Python.
_ASK = """
import importlib, json, os, re, sys
for name in ("bz2", "ctypes", "lzma", "sqlite3", "ssl", "zlib"):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
packages = [p for p in sys.path if os.path.basename(p) in ("site-packages", "dist-packages") and os.path.isdir(p)]
with open("/proc/self/maps") as maps:
    loaded = {line.split(None, 5)[-1].strip() for line in maps if re.search(r"/lib[^/]*[.]so", line)}
print(json.dumps({
    "program": os.path.realpath(sys.executable),
    "prefix": sys.prefix,
    "base": sys.base_prefix,
    "version": "%d.%d" % sys.version_info[:2],
    "packages": packages,
    "libraries": sorted(loaded),
}))
"""
_ACCOUNTS = {
    "passwd": f"root:x:0:0:root:/root:/bin/sh\nanalyst:x:1000:1000:analyst:{HOME}:/bin/sh\n",
    "group": "root:x:0:\nanalyst:x:1000:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
}


@dataclass(frozen=True)
class Interpreter:
    """A Python and where its parts stand on this machine."""

    program: Path
    """The file at the end of all links."""
    prefix: Path
    """The virtual environment, or `base` where there is none."""
    base: Path
    """The installation that the virtual environment was made from."""
    version: str
    """Major and minor, for example "3.11"."""
    packages: tuple[Path, ...]
    """Folders of installed packages on its path; a .pth file may have put some that stand elsewhere there."""
    libraries: tuple[Path, ...]
    """Shared libraries that it and its standard modules have loaded."""


@dataclass(frozen=True)
class Launch:
    """A process to start."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    cwd: Path
    bubblewrap_options: Sequence[str] = ()
    """Options for bubblewrap, when that is the program: passed aside, as a command line shows inside the sandbox."""


@functools.cache
def interpreter(executable: str) -> Interpreter:
    """Ask a Python where it stands. Raises KernelStartError when it cannot be run."""
    try:
        answer = subprocess.run(
            [executable, "-I", "-c", _ASK], capture_output=True, text=True, check=True, timeout=_PROBE_TIMEOUT_S
        )
        found = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise KernelStartError(f"{executable} cannot be run as a Python: {error}") from error
    return Interpreter(
        program=Path(found["program"]),
        prefix=Path(found["prefix"]),
        base=Path(found["base"]).resolve(),
        version=found["version"],
        packages=tuple(Path(p) for p in found["packages"]),
        libraries=tuple(Path(p) for p in found["libraries"]),
    )


@functools.cache
def namespace_flags() -> tuple[str, ...]:
    """The strongest set of namespaces that bubblewrap can make here, found by trying. Raises NoSandbox."""
    bwrap = _bubblewrap()
    complaint = ""
    for flags in _NAMESPACES:
        argv = [bwrap, *flags, "--cap-drop", "ALL", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "true"]
        try:
            trial = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_PROBE_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            complaint = complaint or str(error)
            continue
        if trial.returncode == 0:
            return flags
        complaint = complaint or " ".join(trial.stderr.split())
    raise NoSandbox(
        f"bubblewrap is installed but cannot make a sandbox on this machine ({complaint}). "
        "Allow user namespaces, "
        "or pass --trusted if you trust the authors of the notebooks."
    )


def _bubblewrap() -> str:
    found = shutil.which("bwrap")
    if found is None:
        raise NoSandbox(
            "Kernels are isolated with bubblewrap, which is not installed. "
            "Install it (apt install bubblewrap), or pass --trusted if you trust the authors of the notebooks."
        )
    return found


def process_limits(limits: Limits, *, trusted: bool) -> dict[str, int]:
    """Limits of each process, by the names of `resource.RLIMIT_*`."""
    bounds = {"AS": limits.memory_bytes, "FSIZE": limits.file_bytes, "CORE": 0}
    if not trusted:
        # Linux counts these per account, so outside a user namespace it would count the person's other programs.
        bounds["NPROC"] = limits.processes
    return bounds


def trusted_launch(python: str, folders: Folders, hash_seed: int | None) -> Launch:
    """A kernel as a plain process in its work folder. Its home is there too, so `~` holds nothing dear."""
    environment = _environment(str(folders.work), str(folders.scratch), hash_seed)
    bin_folder = str(Path(python).parent)
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"
    return Launch((python, str(_INSIDE)), environment, folders.work)


def bubblewrap_launch(
    python: str, folders: Folders, tables: Mapping[str, Path], limits: Limits, hash_seed: int | None
) -> Launch:
    """A kernel in a sandbox. Raises NoSandbox where there can be none."""
    flags = namespace_flags()
    found = interpreter(python)
    program, python_binds = _python_binds(found, folders)
    size = str(limits.file_bytes)
    argv = [*flags, "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "cellwright"]
    argv += _system_binds()
    argv += python_binds
    argv += ["--ro-bind", str(_INSIDE), _LAUNCHER]
    argv += ["--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm"]
    argv += ["--size", size, "--tmpfs", "/tmp"]
    argv += _package_binds(found)
    argv += _account_binds(folders)
    argv += ["--bind", str(folders.work), HOME]
    for name, path in tables.items():
        argv += ["--ro-bind", str(path), f"{HOME}/data/{name}"]
    argv += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME]
    environment = _environment(HOME, "/tmp", hash_seed)
    environment["PATH"] = f"{Path(program).parent}:{environment['PATH']}"
    if _stray_libraries(found):
        environment["LD_LIBRARY_PATH"] = _LIBRARIES
    return Launch((_bubblewrap(), program, _LAUNCHER), environment, folders.root, argv)


def _environment(home: str, scratch: str, hash_seed: int | None) -> dict[str, str]:
    """The whole environment of a kernel: nothing is inherited, so nothing of the person's leaks or matters."""
    threads = dict.fromkeys(
        ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
        "1",
    )
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "analyst",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": scratch,
        "IPYTHONDIR": f"{scratch}/.ipython",
        "MPLCONFIGDIR": f"{scratch}/.matplotlib",
        "XDG_CACHE_HOME": f"{scratch}/.cache",
        "PYTHONHASHSEED": "random" if hash_seed is None else str(hash_seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        # Notebooks install what they need: into the Python that runs them, if it were not for this.
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **threads,
    }


def _system_binds() -> list[str]:
    """/usr and the folders that point into it, and the parts of /etc that programs need to run at all."""
    argv = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM_FOLDERS:
        folder = Path(name)
        if folder.is_symlink():
            argv += ["--symlink", str(folder.readlink()), name]
        elif folder.exists():
            argv += ["--ro-bind", name, name]
    for name in _ETC:
        argv += ["--ro-bind-try", name, name]
    return argv


def _account_binds(folders: Folders) -> list[str]:
    argv: list[str] = []
    for name, text in _ACCOUNTS.items():
        file = folders.etc / name
        file.write_text(text)
        argv += ["--ro-bind", str(file), f"/etc/{name}"]
    return argv


def _python_binds(found: Interpreter, folders: Folders) -> tuple[str, list[str]]:
    """The interpreter's path in the sandbox, and the mounts that put it there.

    It stands under fixed names, so that no path of this machine shows in a traceback, and no chain of links from the
    one to the other need be there.
    """
    base = str(found.base) if found.base.is_relative_to("/usr") else _BASE
    own = found.program.relative_to(found.base) if found.program.is_relative_to(found.base) else None
    program = f"{base}/{own or f'bin/python{found.version}'}"
    argv = [] if base != _BASE else ["--ro-bind", str(found.base), _BASE]
    for library in _stray_libraries(found):
        argv += ["--ro-bind", str(library), f"{_LIBRARIES}/{library.name}"]
    if found.prefix.resolve() == found.base:
        return program, argv
    config = folders.etc / "pyvenv.cfg"
    config.write_text(_venv_config(found.prefix / "pyvenv.cfg", str(Path(program).parent)))
    link = f"{_VENV}/bin/python"
    argv += ["--ro-bind", str(config), f"{_VENV}/pyvenv.cfg", "--symlink", program, link]
    argv += ["--symlink", "python", f"{link}3"]
    for name in ("lib", "lib64", "share"):
        folder = found.prefix / name
        if folder.is_symlink() and folder.resolve().is_relative_to(found.prefix.resolve()):
            argv += ["--symlink", str(folder.readlink()), f"{_VENV}/{name}"]
        elif folder.is_dir():
            argv += ["--ro-bind", str(folder), f"{_VENV}/{name}"]
    return link, argv


def _package_binds(found: Interpreter) -> list[str]:
    """Folders of packages that a .pth file or a link puts elsewhere, under the names by which they are looked for.

    Nothing else that a .pth file names is shown: where a project is installed in place, its folder stays hidden.
    """
    seen = [Path("/usr"), found.base, *((found.prefix / name) for name in ("lib", "lib64"))]
    argv: list[str] = []
    for folder in found.packages:
        for name in dict.fromkeys((folder, folder.resolve())):
            if not any(name.is_relative_to(place) or name.is_relative_to(place.resolve()) for place in seen):
                argv += ["--ro-bind", str(folder.resolve()), str(name)]
    return argv


def _stray_libraries(found: Interpreter) -> list[Path]:
    """Shared libraries that Python looks for at the path that it was built for, which the sandbox does not have.

    Others beside libpython in `base`/lib are found from there, and would get in the way of the system's programs.
    """
    strays = {}
    for path in found.libraries:
        own = path.parent == found.base / "lib" and not path.name.startswith("libpython")
        if not (own or any(path.is_relative_to(place) for place in ("/usr", *_SYSTEM_FOLDERS))):
            strays[path.name] = path
    return sorted(strays.values())


def _venv_config(original: Path, home: str) -> str:
    """A pyvenv.cfg that says where the base Python stands in the sandbox, and keeps whether its packages are seen."""
    system = [line for line in original.read_text().splitlines() if line.startswith("include-system-site-packages")]
    return "\n".join([f"home = {home}", *system]) + "\n"
