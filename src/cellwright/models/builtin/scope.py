"""What the built-in model was not made for, as far as that can be told from a chat: then it says so, and does nothing.

A question is within its families when it names a statistic, a count or an extreme, and asks for nothing else. That is a
test of words: a question that passes it may still be misread.
"""

import re
from collections.abc import Sequence

from cellwright.core.types import Message
from cellwright.models.builtin.synonyms import FILES, in_its_words

_CAN = (
    "It answers questions such as: What is the mean of price? · What is the median price where city is Oslo? · "
    "How many rows have city equal to Oslo? · Which city has the highest total of price? For anything else, "
    "give a real model: --model"
)
_CUES = re.compile(
    r"\b(mean|average|median|maximum|minimum|highest|lowest|largest|smallest|sum|total|standard deviation|distinct|"
    r"how many|number of|count)\b",
    re.IGNORECASE,
)
_BEYOND = re.compile(
    r"\b(plot|chart|draw|graph|histogram|figure|why|explain|predict|forecast|train|fit|cluster|correlat\w*|regress\w*|"
    r"trend|growth|compare|difference|ratio|percent\w*|share|proportion|rank|sort|list|top \d+|merge|join|"
    r"per|each|every|by month|by year|between|and|or|not|clean|write|summar\w*|describe)\b|%",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"")
_FILE = re.compile(r"- (.+) \([\d.]+ [kM]B\)")
_ERROR = re.compile(r"\w+Error\b")
_MOST_CELLS = 6


def why_not(question: str, files: Sequence[str]) -> str:
    """Why the built-in model will not take this question about these files; empty where nothing speaks against it."""
    if len(files) != 1 or not files[0].lower().endswith(".csv"):
        named = ", ".join(files) if files else "none"
        return f"The built-in model reads one CSV file, and this question has {named}. {_CAN}"
    words = _QUOTED.sub(" ", in_its_words(question, ()))
    if beyond := _BEYOND.search(words):
        return f"The built-in model does not know what to do with {beyond[0]!r}. {_CAN}"
    if not _CUES.search(words):
        return f"The built-in model finds nothing that it can work out in this question. {_CAN}"
    return ""


def held_back(why: str) -> str:
    """What is said in place of an answer."""
    return f"The built-in model could not answer this: {why}. {_CAN}"


def question_of(messages: Sequence[Message]) -> str:
    """The question of a chat, without the list of files."""
    return next((message.content for message in messages if message.role == "user"), "").partition(FILES)[0]


def why_not_go_on(messages: Sequence[Message]) -> str:
    """The same for a chat under way."""
    asked = [message.content for message in messages if message.role == "user"]
    is_answered = any(call.name == "final_answer" for message in messages for call in message.tool_calls)
    if len(asked) > 1 and is_answered:
        return f"The built-in model takes one question at a time. {_CAN}"
    if len(asked) > 1:  # The loop has told it that what it said is no call.
        return held_back("it lost the thread")
    shown = [message.content.split("\n")[-1] for message in messages if message.role == "tool"]
    if len(shown) > 1 and shown[-2] == shown[-1] and _ERROR.match(shown[-1]):
        return held_back(f"its program failed twice with {shown[-1]}")
    if len(shown) >= _MOST_CELLS:
        return f"The built-in model did not get there in {_MOST_CELLS} cells. {_CAN}"
    question, _, listed = (asked[0] if asked else "").partition(FILES)
    return why_not(question, _FILE.findall(listed))
