"""Runs with a cache, to be killed: `python -m benchmarks.agent.runs URL FOLDER COUNT`."""

import asyncio
import sys
from pathlib import Path

from cellwright.agent import Assignment
from cellwright.agent.batch import Job, TraceFile, run_all
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.models import CachedModel, Endpoint, OpenAIModel, ReplyCache, Traits

AT_ONCE = 64


async def main() -> None:
    url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    cache = ReplyCache(folder / "replies.sqlite")
    jobs = [Job(Assignment(f"run {n}", f"question {n}"), KernelSettings()) for n in range(count)]
    async with LocalPool(AT_ONCE) as pool, OpenAIModel(Endpoint(url, Traits("scripted"), concurrency=AT_ONCE)) as model:
        kept = CachedModel(model, cache, served_at=url)
        await run_all(jobs, kept, pool, TraceFile(folder / "traces.jsonl"), at_once=AT_ONCE)
    cache.close()


if __name__ == "__main__":
    asyncio.run(main())
