"""Recipes of models so small that a test can train them, and commands as a person types them, on one thread."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from cellwright.training.recipe import Recipe, load_recipe

THREAD = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
SMALL = (
    "fresh.hidden=32",
    "fresh.layers=2",
    "fresh.feedforward=64",
    "fresh.heads=2",
    "fresh.key_value_heads=1",
    "fresh.vocabulary=600",
    "sft.per_device_train_batch_size=2",
    "sft.logging_steps=1",
    "sft.warmup_steps=0",
    "sft.learning_rate=1e-2",
)
RENDERINGS = (("non-thinking", "qwen3-instruct"), ("thinking", "qwen3-thinking"))


def small(*changes: str) -> Recipe:
    """The shipped recipe from scratch, made smaller."""
    return load_recipe("tiny-from-scratch", [*SMALL, *changes])


def options(changes: Sequence[str]) -> list[str]:
    """Changes as options of a command."""
    return [part for change in changes for part in ("--set", change)]


def train(*arguments: str | Path) -> "subprocess.Popen[str]":
    """`cellwright train` in a process of its own."""
    command = [sys.executable, "-m", "cellwright", "train", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **THREAD}
    )
