"""In which order the code cells of a notebook were meant to run."""

from collections.abc import Sequence

from cellwright.core.types import Cell
from cellwright.proof.needs import Known
from cellwright.proof.units import ParsedCell, parse_cells


def ordered(cells: Sequence[Cell]) -> list[int] | None:
    """Indices of the cells in a better order; None where the order in the file is as good as any.

    An order is better when fewer names are used before they are defined: first that of the execution counts, if the
    file has them all, then the one in which a cell that defines what another uses comes before it.
    """
    parsed = parse_cells([cell.source for cell in cells])
    written = list(range(len(cells)))
    best, fewest = written, _unmet(parsed, written)
    if not fewest:
        return None
    counts = [cell.execution_count for cell in cells]
    if all(count is not None for count, cell in zip(counts, cells, strict=True) if cell.source.strip()):
        by_count = sorted(written, key=lambda index: (counts[index] or 0, index))
        if (unmet := _unmet(parsed, by_count)) < fewest:
            best, fewest = by_count, unmet
    by_need = _by_need(parsed, best)
    if _unmet(parsed, by_need) < fewest:
        best = by_need
    return best if best != written else None


def _needs(cell: ParsedCell | None) -> tuple[set[str], set[str]]:
    """Names that a cell cannot do without, and names that it defines."""
    needs, known = set[str](), Known()
    for unit in cell.units if cell is not None else ():
        needs |= known.lacking(unit.needs)
        known.bind(unit.binds, unit.defines, unit.when_called)
    return needs, known.names


def _unmet(parsed: Sequence[ParsedCell | None], order: Sequence[int]) -> int:
    """How many cells use a name that only a later one defines."""
    cells = [_needs(parsed[index]) for index in order]
    known: set[str] = set()
    count = 0
    for place, (needs, defined) in enumerate(cells):
        later = set().union(*(other[1] for other in cells[place + 1 :])) if needs - known else set()
        count += bool((needs - known) & later)
        known |= defined
    return count


def _by_need(parsed: Sequence[ParsedCell | None], order: Sequence[int]) -> list[int]:
    """The order, with the first cell that defines a wanted name moved before the cell that wants it."""
    result = list(order)
    place, moves = 0, 0
    known: set[str] = set()
    while place < len(result):
        needs, defined = _needs(parsed[result[place]])
        missing = needs - known
        giver = next((p for p in range(place + 1, len(result)) if missing & _needs(parsed[result[p]])[1]), None)
        if giver is not None and moves < len(result):
            result.insert(place, result.pop(giver))
            moves += 1
            continue
        known |= defined
        place += 1
    return result
