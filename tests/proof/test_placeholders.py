"""What stands in tables and is no value and no row, on tables written as people write them."""

from pathlib import Path

import pandas as pd
import pytest

from cellwright.proof.inside.placeholders import careful, codes, letters_for_nothing, marks, no_rows, one_spelling

SPREAD = [float(n) for n in range(12, 32)]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([*SPREAD, -999.0, -999.0], [-999.0]),
        ([*SPREAD, 999, 9999], [9999.0, 999.0]),
        ([*SPREAD, -1], [-1.0]),
        ([-1, 0, 1] * 9, []),
        ([*SPREAD, -20, -5, -1], []),
        ([*SPREAD, 99, 98], []),
        ([10 * n for n in range(100)] + [999], []),
        (["a", "b"], []),
        ([True, False], []),
        ([999], []),
    ],
)
def test_codes_are_far_from_what_is_measured(values: list[object], found: list[float]) -> None:
    """-999 in temperatures is one, -1 among opinions and 999 at the end of a scale are none."""
    assert codes(pd.Series(values)) == found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["Rome", "?", "Oslo"], ["?"]),
        (["12", "-", "7", ".."], ["-", ".."]),
        (["+", "-", "+"], []),
        (["?", "?"], []),
        (["a?", "b-"], []),
    ],
)
def test_marks_stand_beside_words(values: list[str], found: list[str]) -> None:
    """A dash among names is no name; where there is nothing but signs, they are the values."""
    assert marks(pd.Series(values)) == found


def test_totals_and_notes_are_no_rows() -> None:
    """By their labels; a note by standing alone at the end."""
    frame = pd.DataFrame(
        {
            "month": ["Jan", "Feb", "Total", "Totals matter", "Source: the office"],
            "sold": [1, 2, 3, 4, None],
            "sent": [1, 2, 3, 4, None],
        }
    )
    assert no_rows(frame) == [False, False, True, False, True]


def test_letters_may_be_names(tmp_path: Path) -> None:
    """NA among texts could be North America; among numbers it is none."""
    path = tmp_path / "t.csv"
    path.write_text("region,x\nNA,1\nEU,NA\n,3\n")
    raw = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    assert letters_for_nothing(pd.read_csv(path), raw) == ["region"]
    read = careful(pd.read_csv, path)
    assert read["region"].tolist()[:2] == ["NA", "EU"]
    assert read.isna().sum().tolist() == [1, 1]
    assert careful(pd.read_csv, path, na_values=["EU"])["region"].isna().all()


def test_careful_reading_leaves_plain_tables_alone(tmp_path: Path) -> None:
    """Without any of it the table is the same; with it, totals and codes are gone."""
    path = tmp_path / "t.csv"
    table = pd.DataFrame({"day": [f"d{n}" for n in range(20)], "temp": SPREAD})
    table.to_csv(path, index=False)
    pd.testing.assert_frame_equal(careful(pd.read_csv, path), pd.read_csv(path))
    table.loc[3, "temp"] = -999
    table.loc[20] = ["Total", 400.0]
    table.to_csv(path, index=False)
    read = careful(pd.read_csv, path)
    assert len(read) == 20
    assert read["temp"].isna().sum() == 1


def test_spellings_become_one(tmp_path: Path) -> None:
    """The most frequent one, whatever the case and the blanks around."""
    path = tmp_path / "t.csv"
    path.write_text('fuel\nDiesel\nDiesel\ndiesel\n"diesel "\nPetrol\n')
    assert one_spelling([], pd.read_csv, path)["fuel"].tolist() == ["Diesel"] * 4 + ["Petrol"]


def test_marks_are_read_as_missing(tmp_path: Path) -> None:
    """Only in columns of texts, and nothing else of the table changes."""
    path = tmp_path / "t.csv"
    path.write_text("place,x\nAyr,1\n?,2\nBath,3\n")
    read = careful(pd.read_csv, path)
    assert read["place"].dropna().tolist() == ["Ayr", "Bath"]
    assert read["x"].tolist() == [1, 2, 3]
