"""The Python that runs kernels: where it stands on this machine, and how it is shown to sandboxes.

It is shown under fixed names, so that no path of this machine shows in a traceback, and no chain of links from one to
the other need be there.
"""

import functools
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cellwright.core.errors import KernelStartError

HOME = "/home/analyst"
INSIDE = Path(__file__).with_name("inside")
# No installation stands under these names, so they hide none that a .pth file may point to.
_BASE = "/opt/cellwright/python"
_VENV = "/opt/cellwright/venv"
_LIBRARIES = "/opt/cellwright/lib"
_PACKAGES = "/opt/cellwright/packages"
_INSIDE = "/opt/cellwright/kernel"
_PROBE_TIMEOUT_S = 20.0
_SYSTEM_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = ("/etc/fonts", "/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/ssl")
_ETC_NETWORK = ("/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/services")
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
Part = dict[str, str]
"""A part of the root that sandboxes see: {"at": path} with "bind": source, "link": target or "text": content."""


@dataclass(frozen=True)
class Interpreter:
    """A Python and where its parts stand on this machine."""

    executable: str
    """As it was named."""
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
class View:
    """How sandboxes see an interpreter."""

    python: str
    """Its path inside."""
    inside: str
    """Path inside of the folder that runs kernels."""
    parts: tuple[Part, ...]
    environment: Mapping[str, str]


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
        executable=executable,
        program=Path(found["program"]),
        prefix=Path(found["prefix"]),
        base=Path(found["base"]).resolve(),
        version=found["version"],
        packages=tuple(Path(p) for p in found["packages"]),
        libraries=tuple(Path(p) for p in found["libraries"]),
    )


def environment(home: str, scratch: str, hash_seed: int | None) -> dict[str, str]:
    """The whole environment of a kernel: nothing is inherited, so nothing of the person's leaks or matters."""
    threads = ("OPENBLAS", "OMP", "MKL", "NUMEXPR", "ARROW")
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": home,
        "USER": "analyst",
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "TMPDIR": scratch,
        "IPYTHONDIR": f"{scratch}/.ipython",
        "MPLCONFIGDIR": f"{scratch}/.matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "XDG_CACHE_HOME": f"{scratch}/.cache",
        "PYTHONHASHSEED": "random" if hash_seed is None else str(hash_seed),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        # Notebooks install what they need: into the Python that runs them, if it were not for this.
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        # A library that starts threads of its own must not do so before the fork.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
        **{f"{name}_NUM_THREADS": "1" for name in threads},
    }


def sandboxed_view(found: Interpreter, hash_seed: int | None, *, network: bool) -> View:
    """The parts of a root that hold the system's programs, this Python, and nothing of the person's."""
    python, parts = _python_parts(found)
    packages = {f"{_PACKAGES}/{number}": str(folder) for number, folder in enumerate(_stray_packages(found))}
    parts = [*_system_parts(network=network), *parts]
    parts += [{"at": place, "bind": folder} for place, folder in packages.items()]
    parts.append({"at": f"{_INSIDE}/_cellwright", "bind": str(INSIDE)})
    # Where Kaggle and our own rewriting put tables and work.
    parts += [
        {"at": "/data", "link": f"{HOME}/data"},
        {"at": "/kaggle/input", "link": f"{HOME}/data"},
        {"at": "/kaggle/working", "link": HOME},
    ]
    variables = environment(HOME, "/tmp", hash_seed)
    variables["PATH"] = f"{Path(python).parent}:{variables['PATH']}"
    if packages:
        variables["PYTHONPATH"] = ":".join(packages)
    if _stray_libraries(found):
        variables["LD_LIBRARY_PATH"] = _LIBRARIES
    return View(python, f"{_INSIDE}/_cellwright", tuple(parts), variables)


def plain_view(found: Interpreter, scratch: str, hash_seed: int | None) -> View:
    """The interpreter as it is, for kernels without a file system of their own."""
    variables = environment(scratch, scratch, hash_seed)
    variables["PATH"] = f"{Path(found.executable).parent}:{variables['PATH']}"
    return View(found.executable, str(INSIDE), (), variables)


def readable_places(found: Interpreter) -> list[str]:
    """What kernels without a file system of their own must be able to read."""
    own = [str(place) for place in (found.prefix, found.base, *found.packages, *found.libraries, INSIDE)]
    return ["/usr", *_SYSTEM_FOLDERS, *_ETC, "/etc/passwd", "/etc/group", "/dev/urandom", "/dev/random", *own]


def _system_parts(*, network: bool) -> list[Part]:
    """/usr and the folders that point into it, and the parts of /etc that programs need to run at all."""
    parts: list[Part] = [{"at": "/usr", "bind": "/usr"}]
    for name in _SYSTEM_FOLDERS:
        folder = Path(name)
        if folder.is_symlink():
            parts.append({"at": name, "link": str(folder.readlink())})
        elif folder.exists():
            parts.append({"at": name, "bind": name})
    parts += [{"at": name, "bind": name} for name in (*_ETC, *(_ETC_NETWORK if network else ())) if Path(name).exists()]
    parts += [{"at": f"/etc/{name}", "text": text} for name, text in _ACCOUNTS.items()]
    return parts


def _python_parts(found: Interpreter) -> tuple[str, list[Part]]:
    """The interpreter's path in the sandbox, and the parts that put it there."""
    base = str(found.base) if found.base.is_relative_to("/usr") else _BASE
    own = found.program.relative_to(found.base) if found.program.is_relative_to(found.base) else None
    program = f"{base}/{own or f'bin/python{found.version}'}"
    parts: list[Part] = [] if base != _BASE else [{"at": _BASE, "bind": str(found.base)}]
    parts += [{"at": f"{_LIBRARIES}/{path.name}", "bind": str(path)} for path in _stray_libraries(found)]
    if found.prefix.resolve() == found.base:
        return program, parts
    config = _venv_config(found.prefix / "pyvenv.cfg", str(Path(program).parent))
    parts += [
        {"at": f"{_VENV}/pyvenv.cfg", "text": config},
        {"at": f"{_VENV}/bin/python", "link": program},
        {"at": f"{_VENV}/bin/python3", "link": "python"},
    ]
    for name in ("lib", "lib64", "share"):
        folder = found.prefix / name
        if folder.is_symlink() and folder.resolve().is_relative_to(found.prefix.resolve()):
            parts.append({"at": f"{_VENV}/{name}", "link": str(folder.readlink())})
        elif folder.is_dir():
            parts.append({"at": f"{_VENV}/{name}", "bind": str(folder)})
    return f"{_VENV}/bin/python", parts


def _stray_packages(found: Interpreter) -> list[Path]:
    """Folders of packages that a .pth file or a link puts outside the environment.

    Nothing else that a .pth file names is shown: where a project is installed in place, its folder stays hidden.
    """
    seen = [Path("/usr"), found.base, *((found.prefix / name).resolve() for name in ("lib", "lib64"))]
    strays = dict.fromkeys(folder.resolve() for folder in found.packages)
    return [folder for folder in strays if not any(folder.is_relative_to(place) for place in seen)]


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
