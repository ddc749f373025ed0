"""What a column is good for in a question: to be measured, or to make groups."""

from cellwright.proof.compose.profiles import ColumnProfile
from cellwright.proof.naming import is_counted, is_measured


def is_number(column: ColumnProfile) -> bool:
    """Whether the mean of a column says something."""
    if not is_measured(column.name) or column.kind not in ("number", "code"):
        return False
    if column.kind == "number":
        return column.distinct >= 10 and column.low < column.high
    return column.distinct >= 6 and is_counted(column.name)


def is_label(column: ColumnProfile) -> bool:
    """Whether the values of a column make groups that a person would look at."""
    if column.kind == "category":
        return not column.dirty and len(column.values) == min(column.distinct, 15)
    if column.kind == "code":
        return not is_counted(column.name) or column.distinct <= 12
    return column.kind == "boolean" and column.distinct == 2
