"""Links between a notebook and the tables that it reads.

The paths in the code are rewritten once, before anything runs, to `data/<name>`: so what is executed, proved, traced
and stored is the same text. Every change is recorded as a `Patch`.
"""

import ast
import hashlib
import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from cellwright.core.types import Notebook, Table
from cellwright.corpus.constants import Known, Plain, texts
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


def tables_read(notebook: Notebook, source: Source) -> tuple[str, ...]:
    """Paths of the files in the source that `link` would copy, in the order in which they are read."""
    linker = _Linker(notebook, source)
    for read in find_reads(linker.trees):
        linker.follow(read)
    return tuple(linker.names)


def link(notebook: Notebook, source: Source, store: TableStore) -> LinkedNotebook:
    """The notebook with its tables found, copied and its code rewritten to read them."""
    linker = _Linker(notebook, source)
    for read in find_reads(linker.trees):
        linker.follow(read)
    linker.finish()
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
        self._lookups: list[tuple[Read, dict[str, str]]] = []
        """Reads whose constants stay as they are, with the files of these."""
        self._globs: list[tuple[Read, dict[str, list[str]]]] = []
        """Patterns, with the names of what each finds."""

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
        is_one_file = len(set(linked.values())) == 1 and len(linked) == len({known.value for known in read.values})
        has_origins = all(origin is not None for text, origin in wanted if text in linked)
        if not linked:
            return
        if is_one_file and (len(linked) == 1 or read.is_shared or not has_origins):
            self._replace(read, f"{DATA}{self._name(next(iter(linked.values())))}")
        elif read.is_shared and has_origins:
            self._lookups.append((read, linked))
        elif has_origins:
            self._rewrite_origins(wanted, linked)
        else:
            self._rewrite_prefix(read, set(found), linked)

    def finish(self) -> None:
        """Rewrite what hangs on all other reads: how their constants stand now, and which names there are."""
        for read, linked in self._lookups:
            # What another read has rewritten names its file already.
            targets = {self._now(known): self._target(known.value, linked) for known in read.values}
            if any(before != after for before, after in targets.items()):
                self._patch(read.cell, read.node, f"{targets!r}[{self._segment(read.cell, read.node)}]")
        for read, found in self._globs:
            self._replace_pattern(read, found)

    def _target(self, value: Plain, linked: Mapping[str, str]) -> Plain:
        path = linked.get(value) if isinstance(value, str) else None
        return value if path is None else f"{DATA}{self._name(path)}"

    def _now(self, known: Known) -> Plain:
        """What a constant is worth with the patches so far."""
        cell = self._cell_of(known.origin)
        patch = (
            self.patches.get((cell, *self._offsets(cell, known.origin))) if cell is not None and known.origin else None
        )
        return known.value if patch is None else str(ast.literal_eval(patch.after))

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

    def _rewrite_origins(self, wanted: Sequence[tuple[str, ast.Constant | None]], linked: Mapping[str, str]) -> None:
        """Rewrite the constants that a loop goes over, or that branches choose from."""
        for text, origin in wanted:
            cell = self._cell_of(origin)
            if text in linked and origin is not None and cell is not None:
                self._patch(cell, origin, repr(f"{DATA}{self._name(linked[text])}"))

    def _cell_of(self, origin: ast.Constant | None) -> int | None:
        trees = ((n, tree) for n, tree in enumerate(self.trees) if tree is not None and origin is not None)
        return next((n for n, tree in trees if any(node is origin for node in ast.walk(tree))), None)

    def _rewrite_prefix(self, read: Read, wanted: Collection[str], linked: Mapping[str, str]) -> None:
        """Rewrite the folder at the beginning of an expression whose end changes from turn to turn."""
        cell, node = read.definition or (read.cell, read.node)
        last = {text: posixpath.basename(text.replace("\\", "/")) for text in wanted}
        names = {self._name(path) for path in linked.values()}
        # What is in no source must not be taken for what is.
        is_other = any(name in names for text, name in last.items() if text not in linked)
        if is_other or any(self._name(path) != last[text] for text, path in linked.items()):
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
        names: dict[str, list[str]] = {}
        for pattern in patterns:
            found = match_pattern(pattern, self._path, self._source)
            self._note(read, pattern, found[0] if found else None, "pattern" if found else "not in the source")
            names[pattern] = [self._name(path) for path in found]
            if names[pattern] != [posixpath.basename(path) for path in found]:
                return
        if any(names.values()):
            self._globs.append((read, names))

    def _replace_pattern(self, read: Read, found: Mapping[str, Sequence[str]]) -> None:
        """A pattern under data/, where it finds there what it found; otherwise the list of that."""
        (pattern, names), *others = found.items()
        new = posixpath.basename(pattern)
        fitting = {name for name in self.names.values() if fnmatchcase(name, new)}
        if not others and fitting == set(names):
            self._patch(read.cell, read.node, repr(DATA + new))
        elif read.call is not None:
            lists = {key: [DATA + name for name in sorted(each)] for key, each in found.items()}
            chosen = f"{lists!r}[{self._segment(read.cell, read.node)}]" if others else repr(lists[pattern])
            is_iterator = ast.unparse(read.call.func).endswith("iglob")
            self._patch(read.cell, read.call, f"iter({chosen})" if is_iterator else chosen)

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
