"""What slices of a notebook teach the search for the next one."""

from cellwright.proof.learned import Learned
from cellwright.proof.units import Unit, parse_cells, with_source


def _units(*cells: str) -> list[Unit]:
    return [unit for cell in parse_cells(list(cells)) if cell is not None for unit in cell.units]


def test_what_no_slice_needed_is_left_out() -> None:
    """And comes back once one needs it."""
    a, b, c = units = _units("a = 1", "b = 2", "c = a")
    learned = Learned()
    assert learned.shortened(units) == units
    learned.note([a, b, c], [a, c], named=[a, c])
    assert learned.shortened(units) == [a, c]
    learned.note([a, b], [b], named=[b])
    assert learned.shortened(units) == units


def test_a_statement_goes_by_the_parts_that_slices_needed() -> None:
    """Of which two slices need different parts is taken whole."""
    (whole,) = _units("if True:\n    a = 1\n    b = 2")
    one, other = with_source(whole, "if True:\n    a = 1"), with_source(whole, "if True:\n    b = 2")
    learned = Learned()
    learned.note([whole], [one], named=[whole])
    learned.note([whole], [one], named=[whole])
    assert learned.shortened([whole]) == [one]
    learned.note([whole], [other], named=[whole])
    assert learned.shortened([whole]) == [whole]


def test_what_no_name_leads_to_is_hidden() -> None:
    """As it stands in the notebook, whatever part of it was needed; what was left out is not."""
    first, second, last = units = _units("if True:\n    a = 1\n    b = 2", "c = 3", "d = 4")
    learned = Learned()
    learned.note(units, [with_source(first, "if True:\n    a = 1"), last], named=[last])
    assert learned.hidden == [first]
    assert second not in learned.hidden
