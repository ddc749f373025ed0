"""Code that is sent, as source, into kernels. Standard library and IPython only: the kernel's Python need not have us.

`program()` is the text that a kernel runs once; afterwards it knows `__cellwright__`, an object with
`watch()` (record the values that cells show), `flush()` (hand them out), `judge(request)` (run programs in forks) and
`tables(request)` (changed copies of tables for those programs).
"""

from functools import cache
from importlib.resources import files

PARTS = (
    "targets.py",
    "snapshots.py",
    "chance.py",
    "operations.py",
    "formats.py",
    "variants.py",
    "recording.py",
    "outside.py",
    "programs.py",
    "forks.py",
    "judging.py",
    "traces.py",
)
"""In the kernel they are one module: no two may use a name for two things."""
VALUES_MIME = "application/vnd.cellwright.values+json"
RUNS_MIME = "application/vnd.cellwright.runs+json"
TABLES_MIME = "application/vnd.cellwright.tables+json"
FAILURE_MIME = "application/vnd.cellwright.failure+json"


@cache
def program() -> str:
    """The cell that installs `__cellwright__` in a kernel, as a builtin: the user's namespace may be emptied."""
    sources = [files(__name__).joinpath(part).read_text() for part in PARTS]
    return (
        "def __cellwright_install__():\n"
        "    import builtins, sys, types\n"
        "    module = types.ModuleType('__cellwright__')\n"
        "    sys.modules['__cellwright__'] = module\n"
        f"    for source in {sources!r}:\n"
        "        exec(compile(source, '<cellwright>', 'exec'), module.__dict__)\n"
        "    builtins.__cellwright__ = module\n"
        "__cellwright_install__()\n"
        "del __cellwright_install__\n"
    )


@cache
def apart(variable: str, *parts: str) -> str:
    """Statements that leave what some parts define in a mapping, and no other name: whatever the program that they
    stand before is about."""
    sources = [files(__name__).joinpath(part).read_text() for part in parts]
    return f"{variable} = {{'__name__': {variable!r}}}\nexec({chr(10).join(sources)!r}, {variable})\n"
