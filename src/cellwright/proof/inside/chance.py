"""What may differ from one run of a program to the next: random numbers, and the time of day.

A program that draws without a seed may give the same value twice by luck, so each run tells, beside its value, where
random numbers stood after each stretch of draws: runs with other seeds in which they stood elsewhere drew without one.
So do those that ask the system for randomness. A run whose clock was moved tells whether it asked what time it is. What
this does not see: generators of other libraries that Python did not seed, and clocks that libraries read by themselves.
"""

import ctypes
import datetime
import functools
import gc
import hashlib
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_stands: dict[str, str] = {}
"""Where the random numbers of each library stood when they were last set or looked at."""
_drawn: list[str] = []
_asked = [False]
_asked_time = [False]


def seed_random(seed: int) -> None:
    """Seed what draws for everybody, and watch it from there on, and whether the system is asked for randomness."""
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % 2**32)
        _watch_setting(numpy.random, "numpy", ("seed", "set_state"))
    _watch_setting(random, "random", ("seed", "setstate"))
    _watch_system()
    _drawn.clear()
    _stands.update({library: _standing(library) for library in ("random", "numpy")})


def drawn() -> str:
    """Where random numbers stood whenever some had been drawn; empty if none were. Draws from the system never stand in
    one place."""
    if _asked[0]:
        return os.urandom(8).hex()
    for library in ("random", "numpy"):
        _note_draws(library)
    return hashlib.sha256("".join(_drawn).encode()).hexdigest()[:16] if _drawn else ""


def note_request() -> None:
    """The system was asked for randomness."""
    _asked[0] = True


@contextmanager
def unnoticed() -> Iterator[None]:
    """What is asked of the system meanwhile is not the program's doing."""
    before = _asked[0]
    try:
        yield
    finally:
        _asked[0] = before


def _standing(library: str) -> str:
    if library == "random":
        return hashlib.sha256(repr(random.getstate()).encode()).hexdigest()[:16]
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return ""
    _, keys, *place = numpy.random.get_state()
    return hashlib.sha256(keys.tobytes() + repr(place).encode()).hexdigest()[:16]


def _note_draws(library: str) -> None:
    standing = _standing(library)
    if standing != _stands.get(library):
        _drawn.append(standing)
        _stands[library] = standing


def _watch_setting(module: Any, library: str, names: tuple[str, ...]) -> None:
    """Before somebody sets random numbers anew, note whether any were drawn."""
    for name in names:
        setattr(module, name, _noted(getattr(module, name), library))


def _noted(real: Callable[..., Any], library: str) -> Callable[..., Any]:
    @functools.wraps(real)
    def anew(*arguments: Any, **named: Any) -> Any:
        _note_draws(library)
        if not any(value is not None for value in (*arguments, *named.values())):
            note_request()
        result = real(*arguments, **named)
        _stands[library] = _standing(library)
        return result

    return anew


def _watch_system() -> None:
    """From now on, note whether anything asks the system for random bytes: uuid4, secrets, default_rng(), Random()."""
    real, seed = os.urandom, random.Random.seed

    def urandom(size: int, /) -> bytes:
        note_request()
        return real(size)

    def own_seed(self: random.Random, a: Any = None, version: int = 2) -> None:
        if a is None:
            note_request()
        seed(self, a, version)

    os.urandom = urandom
    setattr(random, "_urandom", urandom)  # noqa: B010 - SystemRandom, and so secrets and numpy, ask by this name
    setattr(random.Random, "seed", own_seed)  # noqa: B010
    if hasattr(os, "getrandom"):
        os.getrandom = lambda size, flags=0: urandom(size)
    _asked[0] = False


def asked_time() -> bool:
    """Whether anything asked for the time of day since the clock was moved."""
    return _asked_time[0]


def move_clock(*, days: int, seconds: int) -> None:
    """Let this process believe that it is so much later."""
    _asked_time[0], ahead_s = False, days * 86_400 + seconds
    real = {name: getattr(time, name) for name in ("time", "time_ns", "clock_gettime", "clock_gettime_ns")}

    def ahead(name: str, unit: int) -> Callable[..., Any]:
        def moved(*clock: int) -> Any:
            if clock not in ((), (time.CLOCK_REALTIME,)):
                return real[name](*clock)
            _asked_time[0] = True
            return real[name](*clock) + ahead_s * unit

        return moved

    for name in real:
        setattr(time, name, ahead(name, 10**9 if name.endswith("_ns") else 1))
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _told(getattr(time, name)))
    strftime, asctime = time.strftime, time.asctime
    time.strftime = lambda form, moment=None: strftime(form, time.localtime() if moment is None else moment)
    time.asctime = lambda moment=None: asctime(time.localtime() if moment is None else moment)
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
