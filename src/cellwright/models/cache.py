"""Replies kept by what was asked, so that a run that was stopped goes on without paying twice.

One SQLite file for any number of processes. A reply is written before its run sees it: what a killed run had received,
the next one has. What grows over the bound, least lately used first, goes.
"""

import hashlib
import sqlite3
import threading
import time
from dataclasses import asdict
from pathlib import Path

import msgspec

from cellwright.core.errors import UsageError
from cellwright.models.protocol import Hear, Model, Reply, Request, Traits, deltas

_LOCK_S = 60.0
_SWEEP_EVERY = 200
"""Writes between two looks at the size."""
_KEPT_SHARE = 0.9
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
  key BLOB PRIMARY KEY, model TEXT NOT NULL, reply BLOB NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replies_used ON replies (used);
"""


class ReplyCache:
    """The file. Safe for threads and for other processes."""

    def __init__(self, path: Path, max_bytes: int = 1 << 30) -> None:
        """Raises UsageError for a file that is no cache."""
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._writes = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(path, timeout=_LOCK_S, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            # Safe against the death of a process; a power failure may lose the last replies, not the file.
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{path} is no cache of replies ({error}); delete it or name another file") from error

    def get(self, key: bytes) -> Reply | None:
        """The reply that was kept, whose use is now."""
        with self._lock:
            row = self._file.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            self._file.execute("UPDATE replies SET used = ? WHERE key = ?", (time.time(), key))
        return msgspec.msgpack.decode(row[0], type=Reply)

    def put(self, key: bytes, model: str, reply: Reply) -> None:
        """Keep a reply. The first one stays where two runs asked the same at once."""
        data = msgspec.msgpack.encode(reply)
        with self._lock:
            row = (key, model, data, len(data) + len(key), time.time())
            self._file.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", row)
            self._writes += 1
            if self._writes % _SWEEP_EVERY == 0:
                self._sweep()

    def sweep(self) -> None:
        """Bring the replies under the bound now."""
        with self._lock:
            self._sweep()

    def _sweep(self) -> None:
        (size,) = self._file.execute("SELECT COALESCE(SUM(bytes), 0) FROM replies").fetchone()
        surplus = size - self._max_bytes * _KEPT_SHARE if size > self._max_bytes else 0
        if surplus <= 0:
            return
        keys = []
        for key, count in self._file.execute("SELECT key, bytes FROM replies ORDER BY used"):
            if surplus <= 0:
                break
            keys.append((key,))
            surplus -= count
        self._file.execute("BEGIN IMMEDIATE")
        self._file.executemany("DELETE FROM replies WHERE key = ?", keys)
        self._file.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        with self._lock:
            self._file.close()


class CachedModel:
    """A model whose replies are kept. The same chat with the same sampling and index is asked once."""

    def __init__(self, model: Model, cache: ReplyCache) -> None:
        self._model, self._cache = model, cache
        self.hits = 0

    @property
    def traits(self) -> Traits:
        return self._model.traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """As the model's; one that was kept is heard in whole pieces."""
        key = request_key(self.traits, request)
        kept = self._cache.get(key)
        if kept is not None:
            self.hits += 1
            if hear is not None:
                for delta in deltas(kept.message):
                    hear(delta)
            return kept
        reply = await self._model.reply(request, hear)
        self._cache.put(key, self.traits.name, reply)
        return reply

    async def close(self) -> None:
        await self._model.close()


def request_key(traits: Traits, request: Request) -> bytes:
    """SHA-256 over the model, the messages, the tools, the sampling and its index."""
    content = (asdict(traits), list(request.messages), request.tools_json, asdict(request.sampling))
    return hashlib.sha256(msgspec.msgpack.encode(content)).digest()
