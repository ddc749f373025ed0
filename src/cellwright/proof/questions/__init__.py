"""Questions read from slices: the program in words, and what its value answers. No model is asked.

A slice is read by a small interpreter whose values are phrases (`reader`). A statement or call that it does not know
makes the slice unreadable: it is counted and left for a model, never guessed at.
"""

from cellwright.proof.questions.narration import IMPORTS, PREPARES, narrate
from cellwright.proof.questions.phrasing import Told
from cellwright.proof.questions.reader import read_slice
from cellwright.proof.questions.signs import PERCENTAGE
from cellwright.proof.questions.symbols import Check, Look, Reading, Seen, Unreadable, Unseen
from cellwright.proof.questions.templates import Proposal, propose

__all__ = [
    "IMPORTS",
    "PERCENTAGE",
    "PREPARES",
    "Check",
    "Look",
    "Proposal",
    "Reading",
    "Seen",
    "Told",
    "Unreadable",
    "Unseen",
    "narrate",
    "propose",
    "read_slice",
]
