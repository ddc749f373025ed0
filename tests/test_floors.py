"""The map in AGENTS.md, enforced: imports go down only, stand at the top of their file, and make no circle."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "cellwright"

# From the ground up; folders on one floor do not meet. `__main__` stands for the file of that name.
FLOORS = (
    {"core"},
    {"notebooks", "answers"},
    {"kernels", "models"},
    {"agent"},
    {"corpus", "proof"},
    {"dataset"},
    {"pipeline"},
    {"training", "benchmarks", "environments"},
    {"samples"},
    {"apps"},
    {"__main__"},
)
FLOOR_OF = {folder: number for number, folders in enumerate(FLOORS) for folder in folders}

# Optional or slow to import, and so imported by the function that needs them.
HEAVY = frozenset(
    {
        "accelerate",
        "ctypes",
        "datasets",
        "datatrove",
        "e2b_code_interpreter",
        "httpx",
        "httpx2",
        "ipykernel",
        "IPython",
        "jupyterlab",
        "matplotlib",
        "numpy",
        "openai",
        "pandas",
        "peft",
        "pyarrow",
        "ray",
        "scipy",
        "seaborn",
        "sklearn",
        "statsmodels",
        "tokenizers",
        "torch",
        "transformers",
        "trl",
        "verifiers",
        "vllm",
    }
)
# Entry points import the work where a command needs it: `cellwright --help` should not load pyarrow.
ENTRY_FOLDERS = frozenset({"apps", "__main__"})


class Import(NamedTuple):
    """One imported module, by its full dotted name."""

    module: str
    line: int
    in_function: bool


def imports(source: str, package: str) -> Iterator[Import]:
    """Every import of a file; `package` is the dotted name of the package that the file is in."""

    def walk(node: ast.AST, in_function: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from (Import(alias.name, child.lineno, in_function) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                yield from (Import(name, child.lineno, in_function) for name in _imported_from(child, package))
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from walk(child, in_function or inside)

    return walk(ast.parse(source), False)


def _imported_from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    parents = package.split(".")
    base = parents[: len(parents) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    for alias in node.names:
        whole = f"{module}.{alias.name}"
        yield whole if module == "cellwright" or _is_module(whole) else module


def _is_module(name: str) -> bool:
    path = SOURCE.parent.joinpath(*name.split("."))
    return name.startswith("cellwright.") and (path.with_suffix(".py").is_file() or path.is_dir())


def complaints(folder: str, source: str, package: str = "") -> list[str]:
    """What a file of `folder` imports against the rules; empty when all is well."""
    found = []
    for item in imports(source, package or f"cellwright.{folder}"):
        root, _, rest = item.module.partition(".")
        target = rest.partition(".")[0]
        ours = root == "cellwright"
        if ours and target in FLOOR_OF and target != folder and FLOOR_OF[target] >= FLOOR_OF[folder]:
            found.append(f"line {item.line}: {folder} imports {target}, which is not below it")
        if item.in_function and root not in HEAVY and not (ours and folder in ENTRY_FOLDERS):
            found.append(f"line {item.line}: imports {item.module} inside a function")
    return found


def _files() -> list[Path]:
    return sorted(path for path in SOURCE.rglob("*.py") if path.parent != SOURCE or path.stem == "__main__")


def _folder(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _package(path: Path) -> str:
    return ".".join(["cellwright", *path.relative_to(SOURCE).parts[:-1]])


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_imports_go_down_and_stand_at_the_top(path: Path) -> None:
    """A file imports from lower floors and from its own folder, at its top."""
    assert complaints(_folder(path), path.read_text(encoding="utf-8"), _package(path)) == []


def test_every_folder_is_on_the_map() -> None:
    """A new folder takes a floor before it takes code."""
    assert {_folder(path) for path in _files()} <= FLOOR_OF.keys()


def test_the_package_itself_imports_nothing() -> None:
    """`import cellwright` costs nothing, because its file imports nothing."""
    assert list(imports((SOURCE / "__init__.py").read_text(encoding="utf-8"), "cellwright")) == []


def test_no_circle_of_modules() -> None:
    """There is an order in which the modules can be read, each after those that it imports at its top."""
    graph = {}
    for path in _files():
        name = ".".join([_package(path), *([] if path.stem == "__init__" else [path.stem])])
        found = imports(path.read_text(encoding="utf-8"), _package(path))
        graph[name] = {item.module for item in found if not item.in_function and item.module != name}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("core", "from cellwright.proof.slicing import shrink"),
        ("core", "import cellwright.apps.cli"),
        ("core", "from cellwright import apps"),
        ("core", "from ..notebooks import read"),
        ("notebooks", "from cellwright.answers import compare"),
        ("samples", "if True:\n    from cellwright.apps import cli"),
        ("core", "def late():\n    import json"),
        ("proof", "async def late():\n    from cellwright.core import types"),
    ],
)
def test_a_forbidden_import_is_seen(folder: str, source: str) -> None:
    """The rules above find what they forbid, however it is written."""
    assert len(complaints(folder, source)) == 1


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("proof", "from cellwright.kernels import Kernel\nfrom cellwright.answers import parse"),
        ("proof", "from .inside import forks\nfrom cellwright.proof.units import Unit"),
        ("training", "def sft():\n    import torch"),
        ("apps", "def build():\n    from cellwright.pipeline import run"),
        ("core", "from cellwright import __version__"),
    ],
)
def test_an_allowed_import_is_let_through(folder: str, source: str) -> None:
    """The rules above do not find what they allow."""
    assert complaints(folder, source) == []
