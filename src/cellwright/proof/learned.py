"""What searches for slices have learned of a notebook, for those that follow: what was idle, and what was hidden.

Outputs of one notebook begin alike: what one search has left out, the next one need not leave out statement by
statement. This is a guess as any: the list that it gives is judged by running it, and each of its statements is tried.
"""

from collections.abc import Sequence

from cellwright.proof.units import Unit

_Place = tuple[int, int]


class Learned:
    """What was idle and what was hidden in slices found so far, of one notebook."""

    def __init__(self) -> None:
        self._became: dict[Unit, Unit | None] = {}
        self._hidden: dict[_Place, Unit] = {}

    @property
    def hidden(self) -> list[Unit]:
        """Statements that a slice needs although no names lead to them."""
        return list(self._hidden.values())

    def shortened(self, units: Sequence[Unit]) -> list[Unit]:
        """The units without those that no search needed, and without the parts that none needed."""
        became = (self._became.get(unit, unit) for unit in units)
        return [unit for unit in became if unit is not None]

    def note(self, units: Sequence[Unit], kept: Sequence[Unit], *, named: Sequence[Unit]) -> None:
        """A search among `units` has `kept` these, perhaps without some of their parts; names lead to `named`."""
        left, seen = {_place(unit): unit for unit in kept}, set(map(_place, named))
        for unit in units:
            now = left.get(_place(unit))
            before = self._became.get(unit)
            # Of which two slices need different parts is taken whole.
            self._became[unit] = unit if now and before and now != before else now or before
            if now and _place(unit) not in seen:
                self._hidden[_place(unit)] = unit


def _place(unit: Unit) -> _Place:
    return (unit.cell, unit.statement)
