"""What names say of the numbers under them."""

import pytest

from cellwright.proof.naming import (
    are_units,
    differ_in_unit,
    is_added_up,
    is_counted,
    is_measured,
    is_money,
    is_of_any_unit,
    names_units,
    unit_of,
)

# fmt: off
NO_MEASURES = (
    "id", "PassengerId", "user_id", "userid", "InvoiceNo", "PostCode", "postcode", "StockCode", "StoreNumber", "PLZ",
    "Latitude (deg)", "geo_lng", "birthyear", "year_built", "zip", "phone number", "Unnamed: 0", "mo", "flight", "ward",
    "barcode", "month", "order.id", "code_2", "",
)
MEASURES = (
    "price", "SalePrice", "citric acid", "amount_paid", "relative humid", "YearsAtCompany", "age", "horsepower",
    "delivery_minutes", "Total Revenue (USD)", "temp_c", "grid", "alcohol", "x", "Größe",
)
# fmt: on


@pytest.mark.parametrize("name", NO_MEASURES)
def test_names_in_digits_and_parts_of_dates_do_not_measure(name: str) -> None:
    """Their mean means nothing."""
    assert not is_measured(name)


@pytest.mark.parametrize("name", MEASURES)
def test_other_numbers_may_measure(name: str) -> None:
    """A name that ends like a code and is none stays."""
    assert is_measured(name)


def test_endings_are_words() -> None:
    """What only ends in the letters of another word is not that."""
    assert [is_counted(name) for name in ("age", "Age", "stage", "mileage", "page", "overall_quality")] == [
        True, True, False, False, False, True
    ]  # fmt: skip
    assert [is_money(name) for name in ("charge", "discharge", "SalePrice", "discharge_days", "unitprice")] == [
        True, False, True, False, True
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "sums"),
    [("sales", True), ("median_income", False), ("income", True), ("new_cases", True), ("total_cases", False),
     ("cases_per_million", False), ("avg_amount", False), ("total_sales", True), ("account", False)],
)  # fmt: skip
def test_sums_of_rates_and_of_running_sums_are_none(name: str, sums: bool) -> None:
    """A median is not added up, nor what counts all days so far."""
    assert is_added_up(name) == sums


def test_units_are_read_off_names() -> None:
    """Two columns of different units are no pair to be subtracted."""
    assert unit_of("Area (sq ft)") == "sqft"
    assert unit_of("weight_lb_prev") == "lb"
    assert unit_of("price") == ""
    assert differ_in_unit("weight_kg", "weight_lb_prev")
    assert differ_in_unit("wind_speed_ms", "wind_dir")
    assert not differ_in_unit("temp_min_c", "temp_max_c")
    assert not differ_in_unit("price", "price_usd")


def test_columns_of_units_are_known_by_name_or_labels() -> None:
    """A column of units makes the numbers beside it of many units."""
    assert all(names_units(name) for name in ("unit", "Currency", "dose_unit", "indicator_name", "series code"))
    assert not any(names_units(name) for name in ("unit_price", "units_sold", "series_length", "name"))
    assert are_units(["F", "C"])
    assert are_units(["kg", "lb"])
    assert are_units(["USD", "EUR", "JPY"])
    assert not are_units(["F", "M"])
    assert not are_units(["kg"])
    assert not are_units(["kg", "red"])


def test_a_unit_column_is_about_others_or_about_one() -> None:
    """`dose_unit` is about `dose`; `unit` about all that names no unit of its own."""
    assert is_of_any_unit("dose", ["dose_unit"])
    assert not is_of_any_unit("age", ["dose_unit"])
    assert is_of_any_unit("value", ["indicator_name"])
    assert is_of_any_unit("temp", ["scale"])
    assert not is_of_any_unit("height_cm", ["unit"])
    assert not is_of_any_unit("age", [])
