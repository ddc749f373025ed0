"""Replies that are kept: asked once, across kills and processes, within a bound."""

import asyncio
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.core.errors import UsageError
from cellwright.core.types import Message, ToolCall, Usage
from cellwright.models import CachedModel, Reply, ReplyCache, Request, Sampling, ScriptedModel, Traits
from cellwright.models.cache import request_key

from .endpoints import CHAT, TOOLS, served

REPLY = Reply(Message("assistant", "ä", "hm", (ToolCall("c", "f", "{}"),)), Usage(1, 0, 2, 0, 0.5), "length")


def test_a_reply_is_asked_for_once(tmp_path: Path) -> None:
    """The same chat, tools, sampling and index: the model is not asked again, also by another process."""
    asked = 0

    def script(request: Request) -> Reply:
        nonlocal asked
        asked += 1
        return REPLY

    async def job() -> list[Reply]:
        cache = ReplyCache(tmp_path / "c.sqlite")
        model = CachedModel(ScriptedModel(script), cache)
        replies = [await model.reply(Request(CHAT, TOOLS)) for _ in range(3)]
        cache.close()
        return replies

    assert asyncio.run(job()) == [REPLY] * 3
    assert asyncio.run(job()) == [REPLY] * 3
    assert asked == 1


def test_whatever_changes_the_reply_changes_the_key() -> None:
    """Model, messages, pictures, tools, sampling, index."""
    request, traits = Request(CHAT, TOOLS), Traits("m")
    others = [
        (Traits("n"), request),
        (replace(traits, thinks=True), request),
        (traits, replace(request, messages=CHAT[:1])),
        (traits, replace(request, messages=(CHAT[0], replace(CHAT[1], images=("data:x",))))),
        (traits, replace(request, tools_json="[]")),
        (traits, replace(request, sampling=Sampling(temperature=0.5))),
        (traits, replace(request, sampling=Sampling(index=1))),
    ]
    keys = {request_key(*other) for other in [(traits, request), *others]}
    assert len(keys) == len(others) + 1
    assert request_key(traits, request) == request_key(Traits("m"), Request(list(CHAT), TOOLS))


def test_size_is_bounded_and_the_least_used_go(tmp_path: Path) -> None:
    """What was asked for lately stays."""
    cache = ReplyCache(tmp_path / "c.sqlite", max_bytes=20_000)
    big = Reply(Message("assistant", "x" * 1000))
    keys = [bytes([n]) for n in range(40)]
    for key in keys:
        cache.put(key, "m", big)
        assert cache.get(keys[0]) is not None
    cache.sweep()
    kept = [key for key in keys if cache.get(key) is not None]
    assert keys[0] in kept
    assert keys[-1] in kept
    assert keys[1] not in kept
    assert 10 < len(kept) < 20
    cache.close()


def test_a_file_that_is_no_cache_is_said(tmp_path: Path) -> None:
    """With what to do."""
    (tmp_path / "c.sqlite").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(UsageError, match="no cache of replies"):
        ReplyCache(tmp_path / "c.sqlite")


def _write(path: Path, start: int) -> None:
    cache = ReplyCache(path)
    for n in range(start, start + 100):
        cache.put(n.to_bytes(4, "big"), "m", REPLY)
        assert cache.get(n.to_bytes(4, "big")) == REPLY
    cache.close()


def test_many_processes_share_the_file(tmp_path: Path) -> None:
    """Four at once write and read without an error, and all is there."""
    path = tmp_path / "c.sqlite"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_write, args=(path, n * 100)) for n in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT COUNT(*) FROM replies").fetchone() == (400,)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from cellwright.core.types import Message
from cellwright.models import *
async def job():
    cache = ReplyCache(Path(sys.argv[2]))
    model = CachedModel(OpenAIModel(Endpoint(sys.argv[1], Traits("scripted"))), cache)
    async def one(n):
        request = Request((Message("user", str(n)),), "[]")
        reply = await model.reply(request)
        print(n, reply.message.content, flush=True)
    await asyncio.gather(*(one(n) for n in range(60)))
    await model.close()
asyncio.run(job())
"""


def test_kill_in_the_middle_pays_for_nothing_twice(tmp_path: Path) -> None:
    """What the killed program had received, the next one does not ask for again."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    counter = iter(range(10_000))

    def answer(body: dict[str, object]) -> Message:
        return Message("assistant", f"reply {next(counter)}")

    with served(answer, latency_s=0.02) as server:
        command = [sys.executable, str(tmp_path / "program.py"), server.url, str(tmp_path / "c.sqlite")]
        first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert first.stdout is not None
        received = dict(first.stdout.readline().split(" ", 1) for _ in range(20))
        os.kill(first.pid, signal.SIGKILL)
        received |= dict(line.split(" ", 1) for line in first.stdout if line.endswith("\n"))
        first.wait()
        first.stdout.close()
        before = len(server.requests)
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        asked_again = len(server.requests) - before
    after = dict(line.split(" ", 1) for line in done.stdout.splitlines(keepends=True))
    assert len(after) == 60
    assert {n: after[n] for n in received} == received
    assert asked_again <= 60 - len(received)
