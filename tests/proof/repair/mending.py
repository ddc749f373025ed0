"""What tests of repair ask of a notebook that was repaired."""

import json
from collections.abc import Callable
from typing import Any

from cellwright.proof.repair import Repaired

Mend = Callable[..., Repaired]
"""The fixture: code cells to what came of them."""


def sources(repaired: Repaired) -> list[str]:
    """The code cells as they run."""
    return [cell.source for cell in repaired.notebook.code_cells]


def values(repaired: Repaired, cell: int) -> list[Any]:
    """The plain values that a cell showed."""
    return [json.loads(shown.value_json).get("v") for shown in repaired.execution.shown if shown.cell == cell]


def stored(*lines: str) -> list[dict[str, Any]]:
    """An output of a cell's last line, as its author's file has it."""
    data = {"text/plain": [f"{line}\n" for line in lines]}
    return [{"output_type": "execute_result", "execution_count": 1, "data": data, "metadata": {}}]
