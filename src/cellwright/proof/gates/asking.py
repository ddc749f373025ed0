"""What a question says of its own: without its contract, its names, and the phrases that are in all questions of ours.

A gate that looks for words in a question would else find them there, and be switched off by a fixed phrase.
"""

import re

from cellwright.answers import sentence
from cellwright.core.types import Contract
from cellwright.proof.questions.phrasing import LEAVE_MISSING_OUT

SKIPS_MISSING = "SKIPNA"
"""Stands for the sentence that leaves missing values out of statistics, which says nothing of them elsewhere."""
_NAMES = re.compile(r"`[^`]*`")
_CONTRACT = re.compile(r"\bAnswer with\b.*", re.DOTALL)
_NUMBERING = re.compile(r"\b(First|Finally), |\bThen (?=[a-z])|\(\d+\) ")


def asked(question: str, contract: Contract) -> str:
    """The question without the words of its contract and without the names that it quotes: what it says of choices."""
    said = _NAMES.sub("``", _CONTRACT.sub("", question.replace(sentence(contract), "")))
    return _NUMBERING.sub("", said.replace(LEAVE_MISSING_OUT, SKIPS_MISSING))
