"""Runs of an agent as a notebook file that opens in Jupyter and runs again from top to bottom.

The files that it reads are expected where its code names them, from the notebook's own folder. Every cell says in its
metadata, under `cellwright`, which step of which run it came from, and the hash of its code and outputs as they were
written; no standard exists for that.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cellwright.core.hashing import sha256_bytes, short_id
from cellwright.core.types import CellResult, Output, Step, Trace

_JSON_MEDIA = ("application/json", "+json")
_FAILED = "raises-exception"
"""The tag by which Jupyter and nbclient go on after a cell that fails."""


@dataclass(frozen=True)
class Section:
    """One question with the run that answered it."""

    question: str
    trace: Trace


def notebook_bytes(sections: Sequence[Section], record: Mapping[str, Any]) -> bytes:
    """An nbformat 4.5 file: each question, its steps' comments and cells with their real outputs, and the answer.

    `record` is kept in the notebook's metadata under `cellwright`.
    """
    cells: list[dict[str, Any]] = []
    count = 0
    for section in sections:
        trace = section.trace
        cells.append(_markdown(f"## Question\n\n{section.question}", _origin(trace, "question")))
        for number, step in enumerate(trace.steps):
            if step.code is None or step.result is None:
                continue
            count += 1
            if step.comment:
                cells.append(_markdown(step.comment, _origin(trace, "comment", number)))
            cells.append(_code(step, step.result, count, _origin(trace, "cell", number)))
        words = trace.answer if trace.answer is not None else f"No answer: {trace.ending} {trace.detail}".strip()
        cells.append(_markdown(f"## Answer\n\n{words}", _origin(trace, "answer")))
    first = sections[0].trace.id if sections else ""
    for number, cell in enumerate(cells):
        cell["id"] = short_id(first, str(number))[:8]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "cellwright": dict(record),
    }
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(content, ensure_ascii=False, indent=1).encode(errors="replace") + b"\n"


def _origin(trace: Trace, role: str, step: int | None = None) -> dict[str, Any]:
    origin: dict[str, Any] = {"run": trace.id, "role": role, "by": "person" if role == "question" else "agent"}
    return {**origin, "model": trace.model} if step is None else {**origin, "model": trace.model, "step": step}


def _markdown(source: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {"cellwright": dict(origin)}, "source": source}


def _code(step: Step, result: CellResult, count: int, origin: dict[str, Any]) -> dict[str, Any]:
    outputs = list(_outputs(result, count))
    origin["edited"] = step.edited
    origin["code_sha256"] = sha256_bytes(str(step.code).encode(errors="replace"))
    origin["outputs_sha256"] = sha256_bytes(json.dumps(outputs, sort_keys=True).encode())
    return {
        "cell_type": "code",
        "metadata": {"tags": ["agent", *([_FAILED] if result.status != "ok" else [])], "cellwright": origin},
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
    return {media: _json(text) if media.endswith(_JSON_MEDIA) else text for media, text in output.data.items()}


def _json(text: str) -> Any:
    """What a cell showed as JSON; where it is none, as a cell may say of any text, the text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
