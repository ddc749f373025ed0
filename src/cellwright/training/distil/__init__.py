"""From teacher to student: the student's own failures, answered by the teacher, as a dataset; or weighed on policy."""

from cellwright.training.distil.order import TRACES_AS_TEACHER, Distil, Tally, load_tally
from cellwright.training.distil.running import DATASET, MODEL, Place, distil, failures

__all__ = ["DATASET", "MODEL", "TRACES_AS_TEACHER", "Distil", "Place", "Tally", "distil", "failures", "load_tally"]
