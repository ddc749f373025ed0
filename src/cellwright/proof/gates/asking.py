"""What a question says of its own: without its contract, its names and labels, and the phrases that all of ours have.

A gate that looks for words in a question would else find them there, and be switched off by a fixed phrase.
"""

import re

from cellwright.answers import sentence
from cellwright.core.types import Contract
from cellwright.proof.questions.phrasing import AFTER_STEPS, ENDINGS, LEAVE_MISSING_OUT, PREPARED

SKIPS_MISSING = "SKIPNA"
"""Stands for the sentence that leaves missing values out of statistics, which says nothing of them elsewhere."""
_NAMES = re.compile(r"`[^`]*`")
_LABELS = re.compile(r'"[^"]*"')
_CONTRACT = re.compile(r"\bAnswer with\b.*", re.DOTALL)
_NUMBERING = re.compile(r"\b(First|Finally), |\bThen (?=[a-z])|\(\d+\) ")


def asked(question: str, contract: Contract, *, with_labels: bool = False) -> str:
    """What a question says of choices: without the words of its contract, and with the names and labels that it quotes
    empty; `with_labels` leaves labels in."""
    said = _NAMES.sub("``", _CONTRACT.sub("", question.replace(sentence(contract), "")))
    said = said.replace(LEAVE_MISSING_OUT, SKIPS_MISSING)
    for phrase in (ENDINGS, PREPARED, AFTER_STEPS):
        said = said.replace(_NAMES.sub("``", phrase), "")
    return _NUMBERING.sub("", said if with_labels else _LABELS.sub('""', said))
