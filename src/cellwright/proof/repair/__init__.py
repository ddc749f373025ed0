"""Notebooks of other years, changed so that they run again. A change is kept only when execution accepts it."""

from cellwright.proof.repair.failures import ABSENT, HARMLESS, Cause, Failure, Loss
from cellwright.proof.repair.notebook import (
    Kernels,
    Mended,
    Repaired,
    cells_that_ran,
    mend,
    ran_in_part,
    ran_whole,
    repair,
)
from cellwright.proof.repair.proposers import Proposal, Proposer
from cellwright.proof.repair.session import Repair

__all__ = [
    "ABSENT",
    "HARMLESS",
    "Cause",
    "Failure",
    "Kernels",
    "Loss",
    "Mended",
    "Proposal",
    "Proposer",
    "Repair",
    "Repaired",
    "cells_that_ran",
    "mend",
    "ran_in_part",
    "ran_whole",
    "repair",
]
