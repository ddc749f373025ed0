"""Opens what a distillation needs, two models and a pool of kernels, and shows where it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from cellwright.apps.asking.models import open_model
from cellwright.core.types import Task, Trace
from cellwright.dataset.files import load_tasks
from cellwright.kernels import Limits
from cellwright.models import Endpoint
from cellwright.pipeline.environments import eras_of, open_pool
from cellwright.training.distil import Distil, Place, Tally, distil, failures
from cellwright.training.sft import Hear, Told


@dataclass(frozen=True)
class Kernels:
    """What kernels to have."""

    count: int
    environments: tuple[str, ...]
    """Of other years, as NAME or NAME=PATH."""
    trusted: bool


@dataclass(frozen=True)
class Models:
    """Who learns, and from whom; without a teacher, from the dataset's own traces."""

    student: Endpoint
    teacher: Endpoint | None


def run_failures(
    dataset: Path, out: Path, order: Distil, student: Endpoint, kernels: Kernels, hear: Hear
) -> tuple[Tally, list[tuple[Task, Trace]]]:
    """The student's part alone."""

    async def job() -> tuple[Tally, list[tuple[Task, Trace]]]:
        async with _opened(dataset, out, kernels, hear) as place, open_model(student) as model:
            return await failures(order, model, place)

    return asyncio.run(job())


def run_distil(dataset: Path, out: Path, order: Distil, models: Models, kernels: Kernels, hear: Hear) -> Tally:
    """To its end, or until a stop; the same call goes on."""
    return asyncio.run(_distil(dataset, out, order, models, kernels, hear))


async def _distil(dataset: Path, out: Path, order: Distil, models: Models, kernels: Kernels, hear: Hear) -> Tally:
    async with contextlib.AsyncExitStack() as opened:
        place = await opened.enter_async_context(_opened(dataset, out, kernels, hear))
        student = await opened.enter_async_context(open_model(models.student))
        teacher = None if models.teacher is None else await opened.enter_async_context(open_model(models.teacher))
        return await distil(order, student, teacher, place)


@contextlib.asynccontextmanager
async def _opened(dataset: Path, out: Path, kernels: Kernels, hear: Hear) -> AsyncIterator[Place]:
    eras = eras_of(load_tasks(dataset), kernels.environments)

    def tell(who: str, ended: int, runs: int) -> None:
        if not ended:
            hear(f"{who}: {runs} runs")
        hear(Told(ended, runs, 0.0))

    async with open_pool(kernels.count, eras, trusted=kernels.trusted) as pool:
        yield Place(dataset, out, pool, kernels.count, Limits(), tell)
