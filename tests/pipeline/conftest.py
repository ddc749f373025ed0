"""A small corpus of our own, and the dataset that a build makes of it. Trusted: the notebooks are ours."""

from pathlib import Path

import pytest

from cellwright.pipeline.build import BuildResult
from tests.pipeline.building import build, lay_out


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out(tmp_path_factory.mktemp("corpus") / "shop")


@pytest.fixture(scope="session")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    return build(corpus, tmp_path_factory.mktemp("built") / "dataset")
