"""Links between a notebook and the tables that it reads.

The paths in the code are rewritten once, before anything runs, to `data/<name>`: so what is executed, proved, traced
and stored is the same text. Every change is recorded as a `Patch`.
"""

import ast
import hashlib
import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cellwright.core.types import Notebook, Table
from cellwright.corpus.constants import texts
from cellwright.corpus.matching import match, match_pattern
from cellwright.corpus.reads import Read, find_reads
from cellwright.corpus.sources import Source
from cellwright.notebooks.code import parse

DATA = "data/"
MAX_TABLE_BYTES = 2_000_000_000
"""Larger files are left where they are."""
_CHUNK_BYTES = 1 << 20
_SHOWN_CHARS = 300


@dataclass(frozen=True)
class Patch:
    """One change of a code cell's text."""

    cell: int
    """Index among the code cells."""
    start: int
    """Offset of the first byte changed, in the UTF-8 text of the cell as it was."""
    end: int
    before: str
    after: str


@dataclass(frozen=True)
class Link:
    """What became of one path that the notebook reads."""

    cell: int
    text: str
    """The path as the code has it, or its expression where the path is known only at run time."""
    found: str | None
    """Path of the file in the source."""
    how: str
    """How it was found, or why it was not."""


@dataclass(frozen=True)
class LinkedNotebook:
    """A notebook whose code reads its tables from `data/`."""

    notebook: Notebook
    tables: tuple[Table, ...]
    links: tuple[Link, ...]
    patches: tuple[Patch, ...]


class TableStore:
    """Tables kept by content hash in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def add(self, source: Source, path: str, name: str) -> Table:
        """Copy a file in. Raises OSError or what the source's `open` raises."""
        partial = self._folder / f".{os.getpid()}.partial"
        digest, count = hashlib.sha256(), 0
        try:
            with source.open(path) as file, partial.open("wb") as copy:
                while chunk := file.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    copy.write(chunk)
                    count += len(chunk)
                    if count > MAX_TABLE_BYTES:
                        raise OSError(f"{path} is larger than it says")
            table = Table(digest.hexdigest(), name, count, path, source.licence(path).spdx)
            partial.chmod(0o444)  # its other names in a dataset are the same file
            partial.replace(self._folder / table.stored_name)
        finally:
            partial.unlink(missing_ok=True)
        return table


def link(notebook: Notebook, source: Source, store: TableStore) -> LinkedNotebook:
    """The notebook with its tables found, copied and its code rewritten to read them."""
    linker = _Linker(notebook, source)
    for read in find_reads(linker.trees):
        linker.follow(read)
    tables = tuple(store.add(source, path, name) for path, name in linker.names.items())
    patches = tuple(sorted(linker.patches.values(), key=lambda patch: (patch.cell, patch.start)))
    return LinkedNotebook(_patched(notebook, patches), tables, tuple(linker.links), patches)


class _Linker:
    def __init__(self, notebook: Notebook, source: Source) -> None:
        self._source = source
        self._path = notebook.provenance.path
        self._texts = [cell.source for cell in notebook.code_cells]
        self._lines = [_line_starts(text) for text in self._texts]
        self.trees = [parse(text) for text in self._texts]
        self._constructor = _path_constructor(self.trees)
        self.names: dict[str, str] = {}
        self.links: list[Link] = []
        self.patches: dict[tuple[int, int, int], Patch] = {}

    def follow(self, read: Read) -> None:
        """Link one read: find its files, and rewrite the expression so that it names them under data/."""
        wanted = texts(read.values)
        if not wanted:
            if not isinstance(read.node, ast.Call):  # read_csv(open(path)): the inner call is a read of its own
                self._note(read, ast.unparse(read.node), None, "known only at run time")
            return
        if read.role == "glob":
            self._follow_pattern(read, [text for text, _ in wanted])
            return
        found = {text: self._find(read, text) for text, _ in wanted}
        linked = {text: path for text, path in found.items() if path is not None}
        if len(found) == 1:
            for path in linked.values():
                self._replace(read, f"{DATA}{self._name(path)}")
        elif linked and not self._rewrite_origins(read, wanted, linked):
            self._rewrite_prefix(read, linked)

    def _find(self, read: Read, text: str) -> str | None:
        if "\n" in text or len(text) > 1000:
            self._note(read, text, None, "not a path")
            return None
        found = match(text, self._path, self._source)
        if found is not None and self._source.size(found.path) > MAX_TABLE_BYTES:
            self._note(read, text, found.path, "file too large")
            return None
        self._note(read, text, found.path if found else None, found.how if found else "not in the source")
        return found.path if found else None

    def _note(self, read: Read, text: str, found: str | None, how: str) -> None:
        note = Link(read.cell, text[:_SHOWN_CHARS], found, how)
        if note not in self.links:
            self.links.append(note)

    def _name(self, path: str) -> str:
        """A name under data/ that no other file of the notebook has: its own, with folders before it where it must."""
        if path in self.names:
            return self.names[path]
        parts = path.split("/")
        taken = {name.casefold() for name in self.names.values()}
        choices = ["-".join(parts[-depth:]) for depth in range(1, len(parts) + 1)]
        choices += [f"{number}-{parts[-1]}" for number in range(2, len(taken) + 3)]
        self.names[path] = next(name for name in choices if name.casefold() not in taken)
        return self.names[path]

    def _replace(self, read: Read, target: str) -> None:
        """Put a literal in the place of the whole expression."""
        text = repr(target)
        if read.role == "receiver" or (isinstance(read.node, ast.Call) and _is_path_call(read.node)):
            text = f"{self._constructor}({text})" if self._constructor else f"__import__('pathlib').Path({text})"
        self._patch(read.cell, read.node, text)

    def _rewrite_origins(
        self, read: Read, wanted: Sequence[tuple[str, ast.Constant | None]], linked: dict[str, str]
    ) -> bool:
        """Rewrite the constants that a loop goes over, where each path is one of them as it stands."""
        if any(origin is None for text, origin in wanted if text in linked):
            return False
        for text, origin in wanted:
            cell = next(
                (n for n, tree in enumerate(self.trees) if tree and any(o is origin for o in ast.walk(tree))), None
            )
            if text in linked and origin is not None and cell is not None:
                self._patch(cell, origin, repr(f"{DATA}{self._name(linked[text])}"))
        return True

    def _rewrite_prefix(self, read: Read, linked: dict[str, str]) -> None:
        """Rewrite the folder at the beginning of an expression whose end changes from turn to turn."""
        cell, node = read.definition or (read.cell, read.node)
        if any(self._name(path) != posixpath.basename(text.replace("\\", "/")) for text, path in linked.items()):
            self._note(read, ast.unparse(node), None, "several files of one name in a loop")
            return
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("path.join") and len(node.args) > 1:
            start, end = self._offsets(cell, node.args[0])[0], self._offsets(cell, node.args[-2])[1]
            self._patch_bytes(cell, start, end, repr(DATA.rstrip("/")))
            return
        segment = self._segment(cell, node)
        folder = os.path.commonprefix(list(linked)).rpartition("/")[0] + "/"  # noqa: RUF071 - of texts, URLs too
        if folder != "/" and folder in segment:
            self._patch(cell, node, segment.replace(folder, DATA, 1))
        elif folder == "/" and isinstance(node, ast.JoinedStr):
            self._patch(cell, node, re.sub(r"^([rRbBfF]*)(\"\"\"|'''|\"|')", rf"\1\2{DATA}", segment))
        else:
            self._patch(cell, node, f"{DATA!r} + ({segment}).rpartition('/')[2]")

    def _follow_pattern(self, read: Read, patterns: Iterable[str]) -> None:
        for pattern in patterns:
            found = match_pattern(pattern, self._path, self._source)
            self._note(read, pattern, found[0] if found else None, "pattern" if found else "not in the source")
            names = [self._name(path) for path in found]
            if found and names == [posixpath.basename(path) for path in found]:
                self._patch(read.cell, read.node, repr(DATA + posixpath.basename(pattern)))

    # --- positions ---

    def _patch(self, cell: int, node: ast.expr, after: str) -> None:
        self._patch_bytes(cell, *self._offsets(cell, node), after)

    def _patch_bytes(self, cell: int, start: int, end: int, after: str) -> None:
        before = self._texts[cell].encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "replace")
        inside = any(p.cell == cell and p.start <= start and end <= p.end for p in self.patches.values())
        if before != after and not inside:
            self.patches[(cell, start, end)] = Patch(cell, start, end, before, after)

    def _segment(self, cell: int, node: ast.expr) -> str:
        start, end = self._offsets(cell, node)
        return self._texts[cell].encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "replace")

    def _offsets(self, cell: int, node: ast.expr) -> tuple[int, int]:
        """Byte offsets of an expression: the syntax tree counts columns in bytes of UTF-8, too."""
        starts = self._lines[cell]
        return starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 1) - 1] + (
            node.end_col_offset or 0
        )


def _line_starts(text: str) -> list[int]:
    """Byte offset of the start of every line, lines as Python counts them."""
    starts = [0]
    for line in re.split(r"(?<=\n)|(?<=\r)(?!\n)", text):
        starts.append(starts[-1] + len(line.encode("utf-8", "surrogatepass")))
    return starts


def _path_constructor(trees: Sequence[ast.Module | None]) -> str | None:
    """How this notebook writes `Path`, None when it never imports it."""
    for tree in trees:
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.ImportFrom) and node.module == "pathlib":
                return next((alias.asname or "Path" for alias in node.names if alias.name == "Path"), None)
            if isinstance(node, ast.Import) and any(alias.name == "pathlib" for alias in node.names):
                return "pathlib.Path"
    return None


def _is_path_call(node: ast.Call) -> bool:
    return ast.unparse(node.func).rpartition(".")[2] in {"Path", "PurePath", "PosixPath"}


def _patched(notebook: Notebook, patches: Sequence[Patch]) -> Notebook:
    """The notebook with the patches applied, last first, so that offsets stay good."""
    sources = [cell.source.encode("utf-8", "surrogatepass") for cell in notebook.code_cells]
    applied: Patch | None = None
    for patch in sorted(patches, key=lambda patch: (-patch.cell, -patch.end, patch.start)):
        if applied is not None and applied.cell == patch.cell and patch.end > applied.start:
            continue  # it lies inside the one that was just applied
        text = sources[patch.cell]
        sources[patch.cell] = text[: patch.start] + patch.after.encode() + text[patch.end :]
        applied = patch
    rest = iter(sources)
    cells = (
        replace(cell, source=next(rest).decode("utf-8", "surrogatepass")) if cell.kind == "code" else cell
        for cell in notebook.cells
    )
    return replace(notebook, cells=tuple(cells))
