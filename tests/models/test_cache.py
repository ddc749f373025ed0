"""Replies that are kept: asked once, across kills and processes, within a bound."""

import asyncio
import contextlib
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
from cellwright.models import cache as cache_module
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
    """Model, endpoint, messages, pictures, tools, sampling, index."""
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
    keys.add(request_key(traits, request, "http://elsewhere/v1"))
    assert len(keys) == len(others) + 2
    assert request_key(traits, request) == request_key(Traits("m"), Request(list(CHAT), TOOLS))


def _used(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as file:
        pages, free, size = (
            file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * size)


def test_size_is_bounded_and_the_least_used_go(tmp_path: Path) -> None:
    """What was asked for lately stays, and the file, with all that SQLite adds, holds no more than it may."""
    path, most = tmp_path / "c.sqlite", 100_000
    cache = ReplyCache(path, max_bytes=most)
    big = Reply(Message("assistant", "x" * 1000))
    keys = [bytes([n]) for n in range(120)]
    for key in keys:
        cache.put(key, "m", big)
        assert cache.get(keys[0]) is not None
    assert _used(path) > most
    cache.sweep()
    assert _used(path) <= most
    kept = [key for key in keys if cache.get(key) is not None]
    assert keys[0] in kept
    assert keys[-1] in kept
    assert keys[1] not in kept
    assert 30 < len(kept) < 100
    cache.close()


def test_programs_that_keep_little_each_do_not_fill_it(tmp_path: Path) -> None:
    """The bound is looked after at the opening, so that also short runs keep to it."""
    path, most = tmp_path / "c.sqlite", 100_000
    for run in range(20):
        cache = ReplyCache(path, max_bytes=most)
        for n in range(10):
            cache.put(bytes([run, n]), "m", Reply(Message("assistant", "x" * 1000)))
        cache.close()
        assert _used(path) < most + 30_000


def test_a_cache_that_is_held_or_old_costs_no_reply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where another program holds the file, or what was kept cannot be read, the model is asked."""
    monkeypatch.setattr(cache_module, "_LOCK_S", 0.1)
    path = tmp_path / "c.sqlite"
    cache = ReplyCache(path)
    model = CachedModel(ScriptedModel(lambda _: REPLY), cache)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert asyncio.run(model.reply(Request(CHAT, TOOLS))) == REPLY
        other.execute("ROLLBACK")
        assert "could not be kept (database is locked)" in caplog.text
        assert asyncio.run(model.reply(Request(CHAT, TOOLS))) == REPLY
        other.execute("UPDATE replies SET reply = x'93'")
        assert asyncio.run(model.reply(Request(CHAT, TOOLS))) == REPLY
        assert asyncio.run(model.reply(Request(CHAT, TOOLS))) == REPLY
    assert model.hits == 1
    cache.close()


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    """A folder in its place is named."""
    (tmp_path / "c.sqlite").mkdir()
    with pytest.raises(UsageError, match=r"c\.sqlite cannot be used"):
        ReplyCache(tmp_path / "c.sqlite")


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
