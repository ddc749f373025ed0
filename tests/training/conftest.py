"""What tests of training share: a dataset that a build made, and recipes for models that train in seconds."""

from pathlib import Path

import pytest

from cellwright.pipeline.build import BuildResult
from tests.pipeline.conftest import built, corpus

__all__ = ["built", "corpus"]


@pytest.fixture(scope="session")
def dataset(built: BuildResult) -> Path:
    """The folder of a built dataset."""
    return built.out
