"""The card: front matter that the Hub reads, tables that hostile texts do not break, and all columns explained."""

import re
from dataclasses import fields, replace

import pytest
import yaml

from cellwright.core.types import Task
from cellwright.dataset.card import TASK_COLUMNS, TRACE_COLUMNS, render_card
from cellwright.dataset.chat import ChatRow
from cellwright.dataset.report import StageCount
from tests.dataset.reports import hostile, nothing


def front(card: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load(card.split("\n---\n", maxsplit=1)[0].removeprefix("---\n"))
    return loaded


def test_front_matter_names_both_files() -> None:
    """`load_dataset` finds the traces first, and the tasks by name."""
    configs = front(render_card(nothing(), "my data"))["configs"]
    assert configs == [
        {"config_name": "traces", "data_files": "traces.parquet", "default": True},
        {"config_name": "tasks", "data_files": "tasks.parquet"},
    ]


@pytest.mark.parametrize("name", ["plain", "x: [y]\n# z", "---\n--- a", "'\"", "caf\u00e9 \u202e", "yes", "1"])
def test_any_name_stands_in_the_front_matter(name: str) -> None:
    """A name that looks like YAML, or like the end of the front matter, is read back as it is."""
    card = render_card(hostile(), name)
    assert front(card)["pretty_name"] == name


@pytest.mark.parametrize(
    ("licences", "claimed"),
    [
        ((("MIT", 3),), "mit"),
        ((("CC0-1.0", 3),), "cc0-1.0"),
        ((("ODbL-1.0", 3),), "odbl"),
        ((("MIT", 3), ("CC0-1.0", 1)), "other"),
        ((("MIT", 3), ("unknown", 1)), "other"),
        ((("unknown", 3),), "other"),
        ((("MIT\ntags: [x]", 3),), "other"),
        ((), "other"),
    ],
)
def test_licence_is_claimed_only_where_all_tables_share_it(licences: tuple[tuple[str, int], ...], claimed: str) -> None:
    """One licence of all tables is the card's, as the Hub spells it; several, or none known, are `other`."""
    assert front(render_card(replace(nothing(), licences=licences), "x"))["license"] == claimed


@pytest.mark.parametrize(
    ("tasks", "size"),
    [(0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (100_000, "100K<n<1M"), (2_000_000, "1M<n<10M")],
)
def test_size_is_one_of_the_hubs(tasks: int, size: str) -> None:
    """The Hub knows sizes by powers of ten."""
    assert front(render_card(replace(nothing(), tasks=tasks), "x"))["size_categories"] == [size]


def test_hostile_texts_break_no_table() -> None:
    """Every row of a table has as many cells as its head, and no text becomes a tag, a link or code."""
    card = render_card(hostile(), "x: [y]\n# z <b>| [a](javascript:b)")
    width = 0
    for line in card.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width
        width = cells
    body = card.split("\n---\n", 1)[1]
    assert "<script" not in body
    assert "<b>" not in body
    assert "[a](" not in body
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in body


def test_funnel_tells_counts_units_and_reasons() -> None:
    """A stage's row has what it counts, what it kept and rejected, and its most frequent reasons."""
    stage = StageCount("slice", 3120, 1873, (("reads | writes", 1800), ("a", 70), ("b", 2), ("c", 1)), "outputs")
    card = render_card(replace(nothing(), stages=(stage,)), "x")
    assert "| slice | outputs | 3,120 | 1,873 | reads \\| writes (1,800); a (70); b (2) |" in card


def test_every_column_is_explained() -> None:
    """The card says what each column of both files holds, and names no other."""
    assert [name for name, _ in TASK_COLUMNS] == [field.name for field in fields(Task)]
    assert [name for name, _ in TRACE_COLUMNS] == [field.name for field in fields(ChatRow)]
    card = render_card(nothing(), "x")
    for name, said in (*TASK_COLUMNS, *TRACE_COLUMNS):
        assert f"| `{name}` | {said} |" in card


def test_example_is_python() -> None:
    """The code that shows how to load the data compiles."""
    card = render_card(nothing(), "x")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    compile(code, "card", "exec")


def test_card_of_nothing_claims_nothing() -> None:
    """A build without tasks does not say that its rows are proved."""
    card = render_card(nothing(), "x")
    assert "proved no task" in card
    assert "A row is in because" not in card
    assert "No licence to count." in card
