"""Stage 3: the tables that each notebook reads, found in its source, copied by content, and read from data/."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cellwright.core.errors import is_of_machine
from cellwright.core.types import Notebook, Reject
from cellwright.corpus.links import LinkedNotebook, Patch, TableStore, link
from cellwright.corpus.sources import UNREADABLE, Source, Sources
from cellwright.notebooks.code import parse
from cellwright.proof.repair.python2 import modernised

NAME = "link"


def link_notebook(notebook: Notebook, source: Source, store: TableStore) -> LinkedNotebook:
    """A notebook linked to its tables; Python 2 is rewritten first, as no path is seen in what does not parse."""
    modern = modernised(notebook)
    linked = link(modern, source, store)
    changed = tuple(
        Patch(index, 0, len(old.source.encode("utf-8", "surrogatepass")), old.source, new.source)
        for index, (old, new) in enumerate(zip(notebook.code_cells, modern.code_cells, strict=True))
        if old.source != new.source
    )
    return replace(linked, patches=(*changed, *linked.patches))


class LinkStage:
    """Links notebooks, one at a time."""

    def __init__(self, sources: Sequence[Path], store: Path) -> None:
        self._sources = Sources(sources)
        self._store = TableStore(store)

    async def run(self, group: Sequence[Notebook]) -> Sequence[LinkedNotebook | Reject]:
        (notebook,) = group
        try:
            linked = link_notebook(notebook, self._sources.by_name[notebook.provenance.source], self._store)
        except UNREADABLE as error:
            if is_of_machine(error):
                raise
            return [_reject(notebook, "table cannot be copied", f"{type(error).__name__}: {error}")]
        if linked.tables:
            return [linked]
        missing = sorted({found.text for found in linked.links if found.how != "known only at run time"})
        dynamic = sorted({found.text for found in linked.links} - set(missing))
        if missing:
            return [_reject(notebook, "its tables are not in the source", ", ".join(missing))]
        if dynamic:
            return [_reject(notebook, "its paths are known only at run time", ", ".join(dynamic))]
        if broken := [cell.source for cell in notebook.code_cells if parse(cell.source) is None]:
            return [_reject(notebook, "its code is not Python 3", broken[0][:500])]
        return [_reject(notebook, "reads no file", "no call that reads a file was found")]

    def close(self) -> None:
        """Let go of the sources."""
        self._sources.close()


def _reject(notebook: Notebook, reason: str, detail: str) -> Reject:
    return Reject.of(NAME, notebook.id, reason, detail, notebook.provenance)
