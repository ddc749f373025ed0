"""What `train inspect` looks at first."""

import sys
from pathlib import Path

import pytest

from cellwright.core.errors import DatasetError
from cellwright.training.inspecting import inspect_trace
from cellwright.training.recipe import load_recipe


def test_a_wrong_folder_is_said_before_a_missing_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who typed a wrong name should not install gigabytes to learn of it."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(DatasetError, match="holds no traces"):
        inspect_trace(tmp_path, load_recipe("tiny-from-scratch", []), "")
