"""Verdicts as they are kept beside a dataset, and as a program hands them in."""

import datetime
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import msgspec

from cellwright.core.errors import UsageError
from cellwright.core.types import Task
from cellwright.proof.certificate import AuditVerdict, Finding, Sitting, fingerprint_of

NAME = "audit.jsonl"


def load(dataset: Path) -> list[AuditVerdict]:
    """All verdicts that were ever given on a dataset, in order. Raises UsageError for a line that is none."""
    path = dataset / NAME
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(msgspec.json.decode(line, type=AuditVerdict))
        except msgspec.DecodeError as error:
            if number == len(lines) and not line.endswith(b"\n"):
                continue  # the write that a kill cut short
            raise UsageError(f"{path}, line {number}: {error}") from None
    return found


def append(dataset: Path, verdicts: Sequence[AuditVerdict]) -> None:
    """Keep verdicts, so that they are there after a power cut."""
    path = dataset / NAME
    whole = path.read_bytes() if path.exists() else b""
    cut = len(whole) - (whole.rfind(b"\n") + 1)
    try:
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(len(whole) - cut)
            file.seek(0, 2)
            file.write(b"".join(msgspec.json.encode(verdict) + b"\n" for verdict in verdicts))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"cannot keep the verdicts in {path}: {error.strerror}") from None


def give(task: Task, verdict: Finding, reason: str, sitting: Sitting) -> AuditVerdict:
    """A verdict of now."""
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return AuditVerdict(sitting, task.id, fingerprint_of(task), verdict, reason, at)


def read_file(path: Path, drawn: Sequence[Task], sitting: Sitting) -> tuple[list[AuditVerdict], list[str]]:
    """The verdicts of a file on drawn tasks, and the ids in it that were not drawn.

    Each line is an object with `task`, `verdict` (valid, invalid or unsure) and, for all but valid, `reason`.
    """
    by_id = {task.id: task for task in drawn}
    found: list[AuditVerdict] = []
    others: list[str] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the verdicts {path}: {error}") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            task_id, verdict, reason = row["task"], row["verdict"], str(row.get("reason", ""))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise UsageError(f'{path}, line {number}: not an object with "task" and "verdict"') from None
        if verdict not in get_args(Finding):
            raise UsageError(f"{path}, line {number}: {verdict!r} is not valid, invalid or unsure")
        if verdict == "invalid" and not reason.strip():
            raise UsageError(f"{path}, line {number}: an invalid task needs a reason")
        if task_id in by_id:
            found.append(give(by_id[task_id], verdict, reason, sitting))
        else:
            others.append(str(task_id))
    return found, others
