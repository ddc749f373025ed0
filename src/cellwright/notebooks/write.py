"""A task's trace as a notebook file that opens in Jupyter and runs again from top to bottom.

The tables are expected under `data/`, beside the notebook.
"""

import json
from collections.abc import Iterator
from typing import Any

from cellwright.core.hashing import short_id
from cellwright.core.types import CellResult, Output, Step, Task, Trace

_JSON_MEDIA = ("application/json", "+json")


def notebook_bytes(task: Task, trace: Trace) -> bytes:
    """An nbformat 4.5 file: the question, each step's comment and cell with its real outputs, the answer."""
    cells: list[dict[str, Any]] = [_markdown(f"## Question\n\n{task.question}")]
    count = 0
    for step in trace.steps:
        if step.code is None:
            continue
        count += 1
        cells.append(_markdown(step.comment))
        cells.append(_code(step, count))
    cells.append(_markdown(f"## Answer\n\n{trace.answer}"))
    for number, cell in enumerate(cells):
        cell["id"] = short_id(task.id, str(number))[:8]
    record = {
        "task": task.id,
        "model": trace.model,
        "kernel": trace.kernel,
        "tables": {table.name: table.sha256 for table in task.tables},
        "source": {"notebook": task.provenance.path, "author": task.provenance.author},
    }
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "cellwright": record,
    }
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _markdown(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(step: Step, count: int) -> dict[str, Any]:
    outputs = list(_outputs(step.result, count)) if step.result is not None else []
    return {
        "cell_type": "code",
        "metadata": {"tags": ["agent"]},
        "source": step.code,
        "execution_count": count,
        "outputs": outputs,
    }


def _outputs(result: CellResult, count: int) -> Iterator[dict[str, Any]]:
    for output in result.outputs:
        match output.kind:
            case "stream":
                yield {"output_type": "stream", "name": output.name, "text": output.text}
            case "error":
                traceback = list(output.traceback)
                yield {"output_type": "error", "ename": output.name, "evalue": output.text, "traceback": traceback}
            case "display":
                yield {"output_type": "display_data", "data": _bundle(output), "metadata": {}}
            case "result":
                data = _bundle(output)
                yield {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": count}


def _bundle(output: Output) -> dict[str, Any]:
    return {media: json.loads(text) if media.endswith(_JSON_MEDIA) else text for media, text in output.data.items()}
