"""The card: front matter that the Hub reads, and tables that hostile texts do not break."""

from dataclasses import replace

import yaml

from cellwright.dataset.card import render_card
from tests.dataset.reports import hostile, nothing


def front(card: str) -> dict[str, object]:
    loaded: dict[str, object] = yaml.safe_load(card.split("---")[1])
    return loaded


def test_front_matter_names_both_files() -> None:
    """`load_dataset` finds the traces first, and the tasks by name."""
    configs = front(render_card(nothing(), "my data"))["configs"]
    assert configs == [
        {"config_name": "traces", "data_files": "traces.parquet", "default": True},
        {"config_name": "tasks", "data_files": "tasks.parquet"},
    ]


def test_licence_is_claimed_only_where_all_tables_share_it() -> None:
    """One licence of all tables is the card's; several, or none known, are `other`."""
    report = nothing()
    assert front(render_card(replace(report, licences=(("MIT", 3),)), "x"))["license"] == "mit"
    assert front(render_card(replace(report, licences=(("MIT", 3), ("CC0-1.0", 1))), "x"))["license"] == "other"
    assert front(render_card(replace(report, licences=(("unknown", 3),)), "x"))["license"] == "other"


def test_hostile_texts_break_no_table() -> None:
    """Every row of a table has as many cells as its head."""
    card = render_card(hostile(), "x: [y]\n# z")
    front(card)
    width = 0
    for line in card.splitlines():
        cells = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert not (width and cells) or cells == width
        width = cells
    assert "<script>" not in card
