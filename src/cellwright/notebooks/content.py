"""What a notebook says, without how it was saved: the key by which two copies are one."""

from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Cell, Notebook


def content_key(notebook: Notebook) -> str:
    """A hash of code and markdown, free of outputs, metadata, empty cells and white space at the ends of lines."""
    said = (f"{cell.kind}\x1f{text}" for cell in notebook.cells if (text := _normalised(cell)))
    return sha256_bytes("\x1e".join(said).encode("utf-8", "surrogatepass"))


def _normalised(cell: Cell) -> str:
    lines = (line.rstrip() for line in cell.source.expandtabs(4).splitlines())
    return "\n".join(line for line in lines if line)
