"""Language models behind one small protocol."""

from cellwright.models.protocol import Model, Reply
from cellwright.models.scripted import ScriptedModel

__all__ = ["Model", "Reply", "ScriptedModel"]
