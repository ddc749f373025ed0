"""The model that ships with Cellwright, and what runs it: no PyTorch, no tokenizer library, numpy only."""

from cellwright.models.builtin.model import FOLDER, NAME, WHAT_IT_IS, BuiltInModel
from cellwright.models.builtin.scope import why_not

__all__ = ["FOLDER", "NAME", "WHAT_IT_IS", "BuiltInModel", "why_not"]
