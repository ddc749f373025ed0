"""The model that ships with Cellwright, and what runs it: no PyTorch, no tokenizer library, numpy only."""

from cellwright.models.builtin.model import FOLDER, NAME, WHAT_IT_IS, BuiltInModel

__all__ = ["FOLDER", "NAME", "WHAT_IT_IS", "BuiltInModel"]
