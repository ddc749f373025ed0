"""Language models behind one small protocol."""

from cellwright.models.cache import CachedModel, ReplyCache
from cellwright.models.openai import Endpoint, OpenAIModel, Price
from cellwright.models.protocol import Delta, Hear, Model, Reply, Request, Sampling, Traits
from cellwright.models.scripted import ScriptedModel

__all__ = [
    "CachedModel",
    "Delta",
    "Endpoint",
    "Hear",
    "Model",
    "OpenAIModel",
    "Price",
    "Reply",
    "ReplyCache",
    "Request",
    "Sampling",
    "ScriptedModel",
    "Traits",
]
