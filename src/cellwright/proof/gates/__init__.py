"""Gates: what a task must stand before it may enter the data, each with what it saw. None asks a model."""

from cellwright.proof.gates.ambiguity import Ambiguity
from cellwright.proof.gates.determinism import Determinism
from cellwright.proof.gates.firstrows import FirstRows
from cellwright.proof.gates.mutation import Mutation
from cellwright.proof.gates.protocol import Gate, Subject, Trial, Tried, join_keys, reason_of, result, subject_of
from cellwright.proof.gates.reexecution import reexecution
from cellwright.proof.gates.running import Judged, through_gates
from cellwright.proof.gates.sanity import Sanity
from cellwright.proof.gates.wording import Wording

GATES: tuple[Gate, ...] = (Wording(), Sanity(), FirstRows(), Ambiguity(), Determinism(), Mutation())
"""After re-execution, the cheap ones first."""

__all__ = [
    "GATES",
    "Gate",
    "Judged",
    "Subject",
    "Trial",
    "Tried",
    "join_keys",
    "reason_of",
    "reexecution",
    "result",
    "subject_of",
    "through_gates",
]
