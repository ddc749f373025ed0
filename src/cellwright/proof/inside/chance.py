"""What may differ from one run of a program to the next: random numbers, and the time of day.

A program that draws without a seed may give the same value twice by luck, so each run tells, beside its value, where
the random numbers stand at its end: runs with other seeds that end elsewhere drew without one. What this does not see:
draws from `random.Random()` and generators of other libraries that Python did not seed; those differ from run to run.
"""

import ctypes
import datetime
import gc
import hashlib
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

_start = [""]
_asked = [False]


def seed_random(seed: int) -> None:
    """Seed what draws for everybody, and note where it stands and whether the system is asked for randomness."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
    _watch_system()
    _start[0] = _standing()


def drawn() -> str:
    """Where the random numbers stand; empty if none were drawn. Draws from the system never stand in one place."""
    if _asked[0]:
        return os.urandom(8).hex()
    standing = _standing()
    return "" if standing == _start[0] else standing


def _standing() -> str:
    numpy = sys.modules.get("numpy")
    states = repr(random.getstate()).encode()
    if numpy is not None:
        _, keys, *place = numpy.random.get_state()
        states += keys.tobytes() + repr(place).encode()
    return hashlib.sha256(states).hexdigest()[:16]


def _watch_system() -> None:
    """From now on, note whether anything asks the system for random bytes: uuid4, secrets, default_rng()."""
    real = os.urandom

    def urandom(size: int, /) -> bytes:
        _asked[0] = True
        return real(size)

    os.urandom = urandom
    setattr(random, "_urandom", urandom)  # noqa: B010 - SystemRandom, and so secrets and numpy, ask by this name
    _asked[0] = False


def move_clock(days: int) -> None:
    """Let this process believe that it is so many days, and some hours, later."""
    ahead = days * 86_400 + 20_220
    real, real_ns = time.time, time.time_ns
    time.time = lambda: real() + ahead
    time.time_ns = lambda: real_ns() + ahead * 10**9
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _told(getattr(time, name)))
    strftime = time.strftime
    time.strftime = lambda form, moment=None: strftime(form, time.localtime() if moment is None else moment)
    # date.today() asks time.time(); now() and utcnow() ask the system, and their type takes no new attributes.
    _replace_members(
        datetime.datetime,
        now=classmethod(lambda kind, tz=None: kind.fromtimestamp(time.time(), tz)),
        utcnow=classmethod(lambda kind: kind.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)),
    )


def _told(real: Callable[[float], Any]) -> Callable[..., Any]:
    def at(moment: float | None = None) -> Any:
        return real(time.time() if moment is None else moment)

    return at


def _replace_members(kind: type, **members: Any) -> None:
    inside: Any = gc.get_referents(kind.__dict__)[0]
    inside.update(members)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
