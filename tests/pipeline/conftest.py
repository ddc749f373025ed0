"""A small corpus of our own, and the dataset that a build makes of it. Trusted: the notebooks are ours.

Both are made once for all workers of a test run: a build takes most of a minute.
"""

import contextlib
import fcntl
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from cellwright.pipeline.build import BuildResult
from tests.pipeline.building import build, lay_out


@contextlib.contextmanager
def _shared(factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder that all workers of this run have in common, for one of them at a time."""
    own = factory.getbasetemp()
    folder = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with (folder / "built.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield folder
        finally:
            # Closing is not enough: a process forked meanwhile would still hold it.
            fcntl.flock(lock, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with _shared(tmp_path_factory) as folder:
        corpus = folder / "corpus" / "shop"
        return corpus if corpus.exists() else lay_out(corpus)


@pytest.fixture(scope="session")
def built(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    with _shared(tmp_path_factory) as folder:
        kept = folder / "built.pickle"
        if kept.exists():
            found: BuildResult = pickle.loads(kept.read_bytes())
            return found
        result = build(corpus, folder / "dataset")
        kept.write_bytes(pickle.dumps(result))
        return result
