"""The first rows of tables: the cell with which an agent looks at them, and what it then sees, cell by cell.

Tables are hostile: they are read in a kernel, by the same expressions that the agent's own look runs.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cellwright.core.errors import KernelDied
from cellwright.core.types import Table
from cellwright.kernels import Kernel

ROWS = 5
_LOOKS = {
    ".csv": "pd.read_csv({path!r}, nrows=%d)" % ROWS,  # noqa: UP031 - braces stay for the path
    ".tsv": "pd.read_csv({path!r}, sep='\\t', nrows=%d)" % ROWS,  # noqa: UP031
    ".xlsx": "pd.read_excel({path!r}, nrows=%d)" % ROWS,  # noqa: UP031
    ".xls": "pd.read_excel({path!r}, nrows=%d)" % ROWS,  # noqa: UP031
    ".parquet": "pd.read_parquet({path!r}).head()",
}
_TEXT_CHARS = 500
_MIME = "application/vnd.cellwright.heads+json"
_TIMEOUT_S = 60.0
# A value longer than this is cut, and columns beyond so many are left out: an agent's window would cut them too.
_VALUE_CHARS, _COLUMNS = 200, 400
_PROBE = """
def __cellwright_heads__(order, value_chars, most_columns, text_chars, mime):
    import json
    from IPython.display import display
    found = []
    for path, look in order:
        columns, rows, text = [], [], ""
        try:
            import pandas as pd
            frame = eval(look, {"pd": pd}) if look else None
            if frame is not None:
                frame = frame.iloc[:, :most_columns]
                columns = [str(name)[:value_chars] for name in frame.columns]
                rows = [[str(value)[:value_chars] for value in row] for row in frame.itertuples(index=False)]
        except Exception:
            look = ""
        if not look:
            try:
                with open(path, errors="replace") as file:
                    text = file.read(text_chars)
            except OSError:
                pass
        found.append([columns, rows, text])
    display({mime: json.dumps(found)}, raw=True)
"""


@dataclass(frozen=True)
class TableHead:
    """What one look at a table shows."""

    sha256: str
    """Of the table."""
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The first rows, each value as text."""
    text: str = ""
    """The first characters, of a file that is not read as a table."""


def look_at(tables: Sequence[Table], unsure: Collection[str] = ()) -> str:
    """A cell that shows the first rows of each table.

    `unsure` names those that a plain reading may not take, as they have other separators or another encoding: of one
    that it does not take, the first characters are shown, as in `read_heads`.
    """
    lines = ["import pandas as pd", ""]
    for table in tables[:3]:
        look = _look(table)
        text = f"print(open({f'data/{table.name}'!r}, errors='replace').read({_TEXT_CHARS}))"
        if not look:
            lines.append(text)
        elif table.name in unsure:
            # pandas' errors of parsing, and those of decoding, are ValueErrors.
            lines += ["try:", f"    print({look}.to_string())", "except ValueError:", f"    {text}"]
        else:
            lines.append(f"print({look}.to_string())")
    return "\n".join(lines)


def _look(table: Table) -> str:
    """The expression that reads a table's head; empty for a file that is not read as a table."""
    suffix = table.name[table.name.rfind(".") :].lower() if "." in table.name else ".csv"
    return _LOOKS.get(suffix, "").format(path=f"data/{table.name}")


async def read_heads(tables: Sequence[Table], kernel: Kernel) -> list[TableHead]:
    """The heads of tables that stand in a fresh kernel's `data/`. Raises KernelDied when the kernel is lost over it."""
    order = [(f"data/{table.name}", _look(table)) for table in tables]
    call = f"__cellwright_heads__({order!r}, {_VALUE_CHARS}, {_COLUMNS}, {_TEXT_CHARS}, {_MIME!r})"
    result = await kernel.execute(f"{_PROBE}\n{call}", timeout_s=_TIMEOUT_S)
    shown = next((output.data[_MIME] for output in result.outputs if _MIME in output.data), None)
    if shown is None:
        raise KernelDied(f"the kernel did not show the tables' heads ({result.status}: {result.error})")
    return [
        TableHead(table.sha256, tuple(columns), tuple(map(tuple, rows)), text)
        for table, (columns, rows, text) in zip(tables, json.loads(shown), strict=True)
    ]
