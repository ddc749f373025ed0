"""A notebook with all that it shows, and what Cellwright wrote into it: for running it again and comparing.

Unlike `read.py`, which reads for what notebooks teach, this keeps pictures and metadata.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cellwright.core.errors import BadNotebook
from cellwright.core.types import Output


@dataclass(frozen=True)
class RecordedCell:
    """A code cell with its outputs."""

    source: str
    outputs: tuple[Output, ...]
    step: int | None = None
    """Which step of its run it was; None for a cell that is not an agent's."""
    run: str = ""


@dataclass(frozen=True)
class RecordedNotebook:
    """The code cells of a notebook, and its record."""

    cells: tuple[RecordedCell, ...]
    record: Mapping[str, Any]
    """What stands under `cellwright` in its metadata; empty for a notebook that others wrote."""
    content: Mapping[str, Any]
    """The file as JSON."""


def read_recorded(data: bytes) -> RecordedNotebook:
    """The notebook in `data`. Raises BadNotebook for what is not nbformat 4."""
    try:
        content = json.loads(data)
        cells = content["cells"]
        if content["nbformat"] != 4:
            raise BadNotebook(f"nbformat {content['nbformat']} is not supported", "open it in Jupyter and save it")
        found = tuple(_cell(cell) for cell in cells if cell["cell_type"] == "code")
        record = content.get("metadata", {}).get("cellwright", {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadNotebook("not a notebook", f"{type(error).__name__}: {error}") from error
    return RecordedNotebook(found, record if isinstance(record, dict) else {}, content)


def without_cells(notebook: RecordedNotebook, kept: Collection[int]) -> bytes:
    """The file with only these of its code cells, by number, and the comments that go with them."""
    steps = {(notebook.cells[number].run, notebook.cells[number].step) for number in kept}
    cells: list[Mapping[str, Any]] = []
    count = number = 0
    for cell in notebook.content["cells"]:
        origin = cell.get("metadata", {}).get("cellwright", {})
        if cell["cell_type"] == "code":
            number += 1
            if number - 1 in kept:
                count += 1
                cells.append(_counted(cell, count))
        elif origin.get("role") != "comment" or (str(origin.get("run", "")), origin.get("step")) in steps:
            cells.append(cell)
    content = {**notebook.content, "cells": cells}
    return json.dumps(content, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


def _counted(cell: Mapping[str, Any], count: int) -> dict[str, Any]:
    outputs = [
        {**output, "execution_count": count} if "execution_count" in output else output for output in cell["outputs"]
    ]
    return {**cell, "execution_count": count, "outputs": outputs}


def _cell(cell: Mapping[str, Any]) -> RecordedCell:
    origin = cell.get("metadata", {}).get("cellwright", {})
    outputs = tuple(_output(output) for output in cell.get("outputs", []))
    return RecordedCell(_joined(cell["source"]), outputs, origin.get("step"), str(origin.get("run", "")))


def _output(output: Mapping[str, Any]) -> Output:
    match output["output_type"]:
        case "stream":
            return Output("stream", name=str(output.get("name", "stdout")), text=_joined(output["text"]))
        case "error":
            lines = tuple(str(line) for line in output.get("traceback", []))
            return Output("error", name=str(output["ename"]), text=str(output["evalue"]), traceback=lines)
        case kind:
            data = {str(media): _media(value) for media, value in output.get("data", {}).items()}
            return Output("result" if kind == "execute_result" else "display", data=data)


def _media(value: object) -> str:
    if isinstance(value, str) or (isinstance(value, list) and all(isinstance(line, str) for line in value)):
        return _joined(value)
    return json.dumps(value, ensure_ascii=False)


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
