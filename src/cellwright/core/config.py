"""Settings: a frozen dataclass, filled from its defaults, one YAML file and `a.b=value` changes.

An unknown key is an error that names the nearest known one, and so is a value outside what its field's type allows.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_type_hints

import msgspec
import yaml

from cellwright.core.errors import ConfigError

T = TypeVar("T")
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""From 0 to 1."""
Seconds = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class _Loader(yaml.SafeLoader):
    """YAML 1.1 takes 5e-6 for a text; here it is a number, as in YAML 1.2 (https://yaml.org/spec/1.2.2/#10214-float)."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+\Z"), list("-+.0123456789")
)


def load_settings(kind: type[T], path: Path | None, changes: Sequence[str], flags: Mapping[str, Any]) -> T:
    """Defaults, then the file, then the changes, then flags that are not None. Raises ConfigError."""
    settings = read_yaml(path) if path is not None else {}
    for change in changes:
        _set(settings, change)
    settings.update({key: value for key, value in flags.items() if value is not None})
    _check(settings, kind, "")
    try:
        return msgspec.convert(settings, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"configuration: {error}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """A file of keys and values; an empty one has none. Raises ConfigError."""
    try:
        loaded = _parse(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the configuration {path}: {error}") from None
    if not isinstance(loaded, dict | None):
        raise ConfigError(f"{path} must hold keys and values")
    return loaded or {}


def refuse_unknown(keys: Iterable[object], known: Sequence[str], prefix: str = "") -> None:
    """Raises ConfigError for the first key that is not known, with the nearest one that is."""
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else f"; known are {', '.join(known)}"
            raise ConfigError(f"unknown setting {prefix}{key}{hint}")


def _set(settings: dict[str, Any], change: str) -> None:
    key, sign, text = change.partition("=")
    if not sign:
        raise ConfigError(f"--set takes key=value, not {change!r}")
    *parents, last = key.strip().split(".")
    for parent in parents:
        settings = settings.setdefault(parent, {})
        if not isinstance(settings, dict):
            raise ConfigError(f"--set {change}: {parent} is not a group of settings")
    try:
        settings[last] = _parse(text)
    except yaml.YAMLError:
        raise ConfigError(f"--set {change}: {text!r} is not a YAML value; put it in quotes") from None


def _parse(text: str) -> Any:
    return yaml.load(text, _Loader)


def _check(settings: Mapping[str, Any], kind: type, prefix: str) -> None:
    hints = get_type_hints(kind)
    refuse_unknown(settings, [f.name for f in dataclasses.fields(kind)], prefix)
    for key, value in settings.items():
        # A group of settings, or one that may be left out.
        for inner in (hints[key], *get_args(hints[key])):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type) and isinstance(value, dict):
                _check(value, inner, f"{prefix}{key}.")
