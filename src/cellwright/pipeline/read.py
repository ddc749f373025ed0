"""Stage 1: every notebook of the sources, with its provenance; what cannot be read is rejected with a reason."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.core.errors import BadNotebook, UsageError
from cellwright.core.types import Notebook, Reject
from cellwright.corpus.sources import Source, Sources
from cellwright.notebooks.read import read_notebook

NAME = "read"


def fingerprint(sources: Sequence[Path]) -> str:
    """Changes when a source's name, or the size or time of any file in it, does. Raises SourceError."""
    digest = hashlib.sha256()
    with Sources(sources) as opened:
        for name, source in opened.by_name.items():
            digest.update(name.encode("utf-8", "surrogatepass"))
            for line in source.listing():
                digest.update(line.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def read(sources: Sequence[Path]) -> Iterator[Notebook | Reject]:
    """All notebooks, one in memory at a time. Raises UsageError when there is no notebook at all."""
    found = 0
    with Sources(sources) as opened:
        for source in opened.by_name.values():
            for record in _read(source):
                found += 1
                yield record
    if not found:
        shown = ", ".join(str(path) for path in sources)
        raise UsageError(f"there is no notebook (.ipynb) in {shown}.")


def _read(source: Source) -> Iterator[Notebook | Reject]:
    for file in source.notebooks():
        if isinstance(file, Reject):
            yield file
            continue
        try:
            notebook = read_notebook(file.data, source.name, file.path)
        except BadNotebook as bad:
            yield Reject(NAME, file.path, bad.reason, bad.detail, file.path, source.name)
            continue
        licence = source.licence(file.path)
        author = notebook.provenance.author or licence.holder
        yield replace(notebook, provenance=replace(notebook.provenance, author=author, licence=licence.spdx))
