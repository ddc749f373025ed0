"""Replies kept by what was asked, so that a run that was stopped goes on without paying twice.

One SQLite file for any number of processes. A reply is written before its run sees it: what a killed run had received,
the next one has. What grows over the bound, least lately used first, goes. A file that others hold for too long, or a
full disk, costs the replies their keeping, not the run.
"""

import hashlib
import logging
import sqlite3
import threading
import time
from dataclasses import asdict
from pathlib import Path

import msgspec

from cellwright.core.errors import UsageError
from cellwright.models.protocol import Hear, Model, Reply, Request, Traits, deltas

logger = logging.getLogger(__name__)

_LOCK_S = 60.0
_SWEEP_EVERY = 200
"""Writes between two looks at the size."""
_KEPT_SHARE = 0.9
_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
  key BLOB NOT NULL UNIQUE, model TEXT NOT NULL, reply BLOB NOT NULL, bytes INTEGER NOT NULL, used REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS replies_used ON replies (used);
"""


class ReplyCache:
    """The file. Safe for threads and for other processes."""

    def __init__(self, path: Path, max_bytes: int = 1 << 30) -> None:
        """`max_bytes` bounds what the file holds; it is looked after at the opening and now and then.

        Raises UsageError for a file that is no cache, or that another program does not let go of.
        """
        self._path, self._max_bytes = path, max_bytes
        self._lock = threading.Lock()
        self._writes = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._file = sqlite3.connect(path, timeout=_LOCK_S, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            # Safe against the death of a process; a power failure may lose the last replies, not the file.
            self._file.execute("PRAGMA synchronous=NORMAL")
            self._file.executescript(_SCHEMA)
            self._sweep()
        except sqlite3.OperationalError as error:
            raise UsageError(f"the cache of replies {path} cannot be used ({error}); name another file") from error
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{path} is no cache of replies ({error}); delete it or name another file") from error

    def get(self, key: bytes) -> Reply | None:
        """The reply that was kept, whose use is now. One that cannot be read, as of another version, counts as none."""
        try:
            with self._lock:
                row = self._file.execute("SELECT reply FROM replies WHERE key = ?", (key,)).fetchone()
                if row is None:
                    return None
                self._file.execute("UPDATE replies SET used = ? WHERE key = ?", (time.time(), key))
            return msgspec.msgpack.decode(row[0], type=Reply)
        except sqlite3.OperationalError as error:
            logger.warning("%s: a reply could not be looked up (%s), so the model is asked", self._path, error)
        except msgspec.MsgspecError:
            with self._lock:
                self._file.execute("DELETE FROM replies WHERE key = ?", (key,))
        return None

    def put(self, key: bytes, model: str, reply: Reply) -> None:
        """Keep a reply. The first one stays where two runs asked the same at once."""
        data = msgspec.msgpack.encode(reply)
        row = (key, model, data, len(data) + len(key), time.time())
        try:
            with self._lock:
                self._file.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?, ?)", row)
                self._writes += 1
                if self._writes % _SWEEP_EVERY == 0:
                    self._sweep()
        except sqlite3.OperationalError as error:
            logger.warning("%s: a reply could not be kept (%s); asked again, it costs again", self._path, error)

    def sweep(self) -> None:
        """Bring the file under its bound now."""
        with self._lock:
            self._sweep()

    def _sweep(self) -> None:
        while (used := self._used_bytes()) > self._max_bytes:
            surplus = used - self._max_bytes * _KEPT_SHARE
            keys = []
            for key, count in self._file.execute("SELECT key, bytes FROM replies ORDER BY used"):
                if surplus <= 0:
                    break
                keys.append((key,))
                surplus -= count
            if not keys:
                return
            self._file.execute("BEGIN IMMEDIATE")
            self._file.executemany("DELETE FROM replies WHERE key = ?", keys)
            self._file.execute("COMMIT")
            # Keys are hashes, so what goes leaves holes in all pages, and hardly a page is free.
            self._file.execute("VACUUM")

    def _used_bytes(self) -> int:
        """Pages with something on them; SQLite writes on free ones before the file grows."""
        pages, free, size = (
            self._file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        with self._lock:
            self._file.close()


class CachedModel:
    """A model whose replies are kept. The same chat with the same sampling and index is asked once."""

    def __init__(self, model: Model, cache: ReplyCache, *, served_at: str = "") -> None:
        """`served_at`: the endpoint, as one name stands for other weights elsewhere ("default", "local")."""
        self._model, self._cache, self._served_at = model, cache, served_at
        self.hits = 0

    @property
    def traits(self) -> Traits:
        return self._model.traits

    async def reply(self, request: Request, hear: Hear | None = None) -> Reply:
        """As the model's; one that was kept is heard in whole pieces."""
        key = request_key(self.traits, request, self._served_at)
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


def request_key(traits: Traits, request: Request, served_at: str = "") -> bytes:
    """SHA-256 over the model and where it is served, the messages, the tools, the sampling and its index."""
    content = (served_at, asdict(traits), list(request.messages), request.tools_json, asdict(request.sampling))
    return hashlib.sha256(msgspec.msgpack.encode(content)).digest()
