"""Real kernels of every local kind, and one event loop and one template for all tests of a kind."""

import asyncio
import contextlib
import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cellwright.core.errors import NoSandbox
from cellwright.kernels import KernelSettings, LocalPool

from .bench import LIBRARIES, Bench, Laboratory, open_pool, rungs

Laboratories = Callable[[str], Laboratory]


@pytest.fixture(scope="session")
def laboratories() -> Iterator[Laboratories]:
    """One laboratory of each kind, opened when it is first asked for; they stay open, as a template takes seconds."""
    with contextlib.ExitStack() as stack:
        runner = stack.enter_context(asyncio.Runner())

        @functools.cache
        def laboratory(kind: str) -> Laboratory:
            context = open_pool(kind, 6, LIBRARIES)
            pool = runner.run(context.__aenter__())
            stack.callback(lambda: runner.run(_close(context)))
            return Laboratory(runner, pool, kind)

        yield laboratory


@pytest.fixture(scope="session", params=[*rungs(), "trusted"])
def laboratory(request: pytest.FixtureRequest, laboratories: Laboratories) -> Laboratory:
    kind: str = request.param
    try:
        found = laboratories(kind)
    except NoSandbox as missing:
        pytest.skip(f"NOT TESTED HERE: {missing}")
    with found.kernel():
        pass  # The template stands before the first test begins.
    return found


async def _close(context: contextlib.AbstractAsyncContextManager[LocalPool]) -> None:
    await context.__aexit__(None, None, None)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "original.csv"
    path.write_text("city,people\nOslo,700000\nTromsø,77000\n")
    return path


@pytest.fixture(scope="module")
def cell(laboratory: Laboratory, table: Path) -> Iterator[Bench]:
    """One kernel for all tests of a module that leave it as it was."""
    with laboratory.kernel(KernelSettings(tables={"x.csv": table}, hash_seed=0)) as bench:
        yield bench


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder in which kernels put their own folders; short, because sockets stand in it."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)
