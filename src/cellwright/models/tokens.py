"""How many tokens a text is, roughly, without the model's tokenizer.

Byte-pair tokenizers of today's open models split digits one by one, take most English words as one token, and code's
punctuation in ones and twos. An estimate is for budgets: what a request really took, the endpoint says.
"""

import re
from collections.abc import Iterable

from cellwright.core.types import Message

_PARTS = re.compile(r"[A-Za-z]+|\d|\n+|[ \t]{2,}|[^\x00-\x7f]|[^\sA-Za-z\d]{1,2}")
_WORD_CHARS = 7
_MESSAGE_TOKENS = 6
_IMAGE_TOKENS = 1000


def estimate_tokens(text: str) -> int:
    """About as many tokens as a tokenizer of 100,000 and more entries makes of `text`."""
    return sum(1 + (len(part) - 1) // _WORD_CHARS if part.isalpha() else 1 for part in _PARTS.findall(text))


def estimate_chat(messages: Iterable[Message]) -> int:
    """The same of a chat, with what its template adds."""
    return sum(estimate_message(message) for message in messages)


def estimate_message(message: Message) -> int:
    """The same of one message."""
    calls = sum(estimate_tokens(call.arguments_json) + 12 for call in message.tool_calls)
    pictures = len(message.images) * _IMAGE_TOKENS
    return (
        estimate_tokens(message.content) + estimate_tokens(message.reasoning or "") + calls + pictures + _MESSAGE_TOKENS
    )
