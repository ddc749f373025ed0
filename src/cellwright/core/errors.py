"""Every exception that Cellwright raises on purpose.

    CellwrightError
    ├── UsageError            the person asked for something that cannot be; the message says what to do
    │   ├── ConfigError       an unknown key or a value of the wrong kind
    │   └── MissingExtra      an optional part is not installed
    ├── BadNotebook           one notebook cannot be read; filed as a reject, never fatal
    ├── SourceError           a folder, zip or file given as source cannot be used
    ├── KernelError
    │   ├── KernelDied        the kernel process is gone; what it held is lost
    │   ├── KernelStartError  a kernel did not come up
    │   │   └── PoolClosed    whoever had the pool has let go of it
    │   └── NoSandbox         the isolation that was asked for is not available here
    ├── ModelError
    │   ├── ModelUnavailable  an endpoint cannot be reached, or failed again and again
    │   ├── ModelMisused      a wrong key, name or parameter; trying again would not help
    │   └── ContextOverflow   the chat is longer than the model's window
    └── DatasetError          a built dataset is not what it says

Failing *user* code is none of these: it is a `CellResult` whose status says so.
"""

import errno

_MACHINE = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM))


def is_of_machine(error: BaseException) -> bool:
    """Whether an error says something of this machine (a full disk, too many open files), not of what was asked."""
    return isinstance(error, OSError) and error.errno in _MACHINE


class CellwrightError(Exception):
    """Base of all."""


class UsageError(CellwrightError):
    """The person's request cannot be met as it stands. The message is shown without a traceback."""


class ConfigError(UsageError):
    """A configuration key is unknown or its value is of the wrong kind."""


class MissingExtra(UsageError):
    """An optional part is not installed."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the extra [{extra}]: pip install 'cellwright[{extra}]'")
        self.extra = extra


class BadNotebook(CellwrightError):
    """A file that should be a notebook is not one that can be used."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class SourceError(UsageError):
    """A folder, zip or file given as source cannot be used."""


class KernelError(CellwrightError):
    """Something went wrong with a kernel, not with the code that it ran."""


class KernelDied(KernelError):
    """The kernel process is gone, and with it its state."""


class KernelStartError(KernelError):
    """A kernel did not come up."""


class PoolClosed(KernelStartError):
    """Whoever had the pool of kernels has let go of it: this says nothing of what was asked."""


class NoSandbox(KernelError, UsageError):
    """The isolation that was asked for is not available on this machine."""


class ModelError(CellwrightError):
    """Something went wrong with a model's endpoint, not with what the model said."""


class ModelUnavailable(ModelError):
    """The endpoint cannot be reached or kept failing, after all retries."""


class ModelMisused(ModelError, UsageError):
    """The endpoint will not serve this request, however often it is sent: key, model name or a parameter is wrong."""


class ContextOverflow(ModelError):
    """The chat is longer than the model's window."""


class DatasetError(UsageError):
    """A folder is not a dataset that Cellwright built, or part of it is missing or altered."""
