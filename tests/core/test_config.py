"""Settings: from a file, from changes, and what is refused."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from cellwright.core.config import Seconds, Share, load_settings
from cellwright.core.errors import ConfigError


@dataclass(frozen=True)
class Inner:
    """A group of settings."""

    rate: float = 0.5
    share: Share = 0.5
    limit_s: Seconds | None = None


@dataclass(frozen=True)
class Outer:
    """Settings with a group, one that may be left out, and one that is passed on as it is."""

    name: str = "none"
    group: Inner = field(default_factory=Inner)
    optional: Inner | None = None
    passed: Mapping[str, Any] = field(default_factory=dict)


def test_file_then_changes_then_flags(tmp_path: Path) -> None:
    """What is said last holds; a flag that was not given says nothing."""
    (tmp_path / "s.yaml").write_text("name: file\ngroup: {rate: 1}\npassed: {a: 1}\n")
    changes = ["group.rate=2", "name=change", "passed.b=[x]"]
    found = load_settings(Outer, tmp_path / "s.yaml", changes, {"name": "flag", "optional": None})
    assert found == Outer("flag", Inner(2.0), None, {"a": 1, "b": ["x"]})


@pytest.mark.parametrize("text", ["5e-6", "5.0e-06", "+.5E-5", "-5e-6"])
def test_a_number_with_an_exponent_is_a_number(text: str) -> None:
    """YAML 1.1 would take 5e-6, as every recipe writes a learning rate, for a text."""
    assert load_settings(Outer, None, [f"group.rate={text}"], {}).group.rate == float(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("nane=x", "did you mean name?"),
        ("group.rat=1", "did you mean group.rate?"),
        ("optional.rat=1", "did you mean optional.rate?"),
        ("group.rate=soon", "Expected `float`"),
        ("group.share=2", "`float` <= 1.0 - at `$.group.share`"),
        ("group.share=-0.1", ">= 0.0"),
        ("group.limit_s=0", "> 0.0 - at `$.group.limit_s`"),
        ("name=[", "not a YAML value"),
        ("name", "key=value"),
        ("name.first=x", "Expected `str`"),
    ],
)
def test_what_is_refused(change: str, said: str) -> None:
    """An unknown key names its nearest; a wrong value says what was expected."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_settings(Outer, None, [change], {})
