"""A question in several complete wordings, from its tables, its steps and what is asked.

All wordings are of the same parts, so they name the same columns and values; only the sentences around them differ.
Which one a task leads with is decided by a hash of its id.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import Frame, Note, Unreadable

_MAX_STEPS = 10
# What a step changes when it changes columns only.
_CHANGED = re.compile(r"(?:set a column|replace|raise every|lower every) (`[^`]*`)")
_CHANGES_COLUMNS = re.compile(
    r"(set a column `|replace `|raise every `|lower every `|in the rows where |in the \d+(?:st|nd|rd|th) |"
    r"in the (?:first|last|row labelled|rows from) |rename the column |drop the columns? |"
    r"keep only the columns? |take the first column of )"
)
_QUOTED = re.compile(r"`[^`]*`")
# Columns that are not named, any of which may be one that a step has changed.
_ALL_COLUMNS = re.compile(r"\bcolumns?\b(?! `)")
_ORDER_WORDS = re.compile(
    r"\b(first|last|earlier|later|previous|next|before|after|running|up to and with|\d+(st|nd|rd|th))\b"
)
_NEIGHBOURS = re.compile(
    r"\b(the previous row|the next row|rows (before|after)|up to and with this row|rows? before (it|this)|"
    r"(earlier|later) rows?)\b"
)
_SKIPS_MISSING = re.compile(
    r"\b(mean|median|sum|standard deviation|variance|percentile \(linear interpolation\)|product|"
    r"skewness \(bias corrected\)|kurtosis \(bias corrected\)|running total|running maximum|running minimum)"
    r"( of\b|\?|$| over the rows)|"
    r"\b(correlation|covariance) (between|with)\b"
)
_JOIN = re.compile(r"\bjoin [^;.]*`[^;]*?(?:match|do not match too)\b[^;.]*")
_ENDED = re.compile(r"`[^`]+_[xy]`")

LEAVE_MISSING_OUT = "Leave missing values out of statistics."
FILE_ORDER = "Take the rows in the order of the file."
ENDINGS = "Columns that both joined tables have get the ending `_x` from the first and `_y` from the second."
PREPARED = "The data must be prepared before that:"
AFTER_STEPS = "after some steps"


@dataclass(frozen=True)
class Ask:
    """What is asked, as a question and as a noun phrase for other sentences."""

    question: str
    """ "what is the mean of `age`?" """
    noun: str
    """ "the mean of `age`" """
    verb: str = "compute"
    """What one does to get it: compute, find, list, count, check."""


@dataclass(frozen=True)
class Told:
    """A question in parts."""

    tables: tuple[str, ...]
    steps: tuple[str, ...]
    """What is done to the tables first, as commands."""
    notes: tuple[Note, ...]
    ask: Ask
    rules: tuple[str, ...] = ()
    """Sentences about choices that would otherwise be left open."""

    @property
    def forms(self) -> tuple[str, ...]:
        """The same question in five forms; the first is the plainest."""
        return (self._plain(), self._imperative(), self._question_first(), self._report(), self._numbered())

    def led_by(self, salt: str) -> tuple[str, tuple[str, ...]]:
        """The wording that leads, chosen by a hash of the salt, and the other ones."""
        forms = self.forms
        place = hashlib.sha256(salt.encode()).digest()[0] % len(forms)
        return forms[place], forms[:place] + forms[place + 1 :]

    # --- forms ------------------------------------------------------------------------------

    @property
    def _files(self) -> str:
        """What the steps begin with: the first file, and those that neither a step nor a note names."""
        told = " ".join([*self.steps, *(note.text for note in self.notes)])
        first = [table for n, table in enumerate(self.tables) if n == 0 or wording.name(table) not in told]
        return wording.listing([wording.name(table) for table in first])

    @property
    def _names_its_files(self) -> bool:
        """Whether the first step names every file, so that nothing else needs to."""
        return bool(self.steps) and all(wording.name(table) in self.steps[0] for table in self.tables)

    @property
    def _lets(self) -> list[str]:
        return [f"Let {note.name} be {note.text}." for note in self.notes]

    @property
    def _meanings(self) -> list[str]:
        return [f"Here {note.name} is {note.text}." for note in self.notes]

    def _joined(self, *parts: str) -> str:
        return " ".join([*(part for part in parts if part), *self.rules])

    def _plain(self) -> str:
        if not self.steps:
            return self._joined(*self._lets, f"In {self._files}, {self.ask.question}")
        first, *others = self.steps
        start = f"{wording.capital(first)}." if self._names_its_files else f"Start from {self._files}. First, {first}."
        then = [f"Then {step}." for step in others]
        return self._joined(*self._lets, start, *then, wording.capital(self.ask.question))

    def _imperative(self) -> str:
        if not self.steps:
            return self._joined(*self._lets, f"Using {self._files}, {self.ask.verb} {self.ask.noun}.")
        done = "; ".join([self.steps[0], *(f"then {step}" for step in self.steps[1:])])
        start = wording.capital(done) if self._names_its_files else f"Using {self._files}, {done}"
        return self._joined(*self._lets, f"{start}. Finally, {self.ask.verb} {self.ask.noun}.")

    def _question_first(self) -> str:
        question = wording.capital(self.ask.question)
        if not self.steps:
            return self._joined(question, f"Use {self._files}.", *self._meanings)
        steps = [f"First, {self.steps[0]}.", *(f"Then {step}." for step in self.steps[1:])]
        of = "the table that some steps give" if self._names_its_files else f"{self._files} {AFTER_STEPS}"
        return self._joined(question, *self._meanings, f"The question is about {of}.", *steps)

    def _report(self) -> str:
        need = "need to know" if self.ask.verb == "check" else "need"
        report = "For a report" if self._names_its_files else f"For a report on {self._files}"
        start = f"{report}, we {need} {self.ask.noun}."
        if not self.steps:
            return self._joined(start, *self._meanings)
        listed = "; ".join(f"({number}) {step}" for number, step in enumerate(self.steps, 1))
        return self._joined(start, *self._meanings, f"{PREPARED} {listed}.")

    def _numbered(self) -> str:
        steps = [*self.steps, f"{self.ask.verb} {self.ask.noun}"]
        data = "" if self._names_its_files else f"Data: {self._files}."
        if len(steps) == 1:
            return self._joined(data, *self._lets, f"Task: {steps[0]}.")
        listed = "; ".join(f"({number}) {step}" for number, step in enumerate(steps, 1))
        return self._joined(data, *self._lets, f"Steps: {listed}.")


def tell(frame: Frame, ask: Ask, notes: Sequence[Note]) -> Told:
    """The question with its tables, the steps that matter to it, and the notes that it refers to."""
    steps = _needed(frame.steps, f"{ask.question} {ask.noun}")
    if len(steps) > _MAX_STEPS:
        raise Unreadable("too many steps")
    text = " ".join([*steps, ask.question])
    used = _used(notes, text)
    whole = " ".join([text, *(note.text for note in used)])
    return Told(frame.tables, tuple(steps), used, ask, _rules(frame, steps, whole))


def _used(notes: Sequence[Note], text: str) -> tuple[Note, ...]:
    """The notes that the text, or a note that it uses, refers to; in their order."""
    used: list[Note] = []
    for note in reversed(notes):
        if re.search(rf"\b{re.escape(note.name)}\b", " ".join([text, *(other.text for other in used)])):
            used.append(note)
    return tuple(reversed(used))


def _rules(frame: Frame, steps: Sequence[str], text: str) -> tuple[str, ...]:
    rules: list[str] = []
    if _NEIGHBOURS.search(text) and not any(step.startswith(("sort ", "make a new table")) for step in steps):
        rules.append(FILE_ORDER)
    joins = [part for part in _JOIN.findall(text) if "the ending" not in part]
    if joins and _ENDED.search(text):
        rules.append(ENDINGS)
    if _SKIPS_MISSING.search(text):
        rules.append(LEAVE_MISSING_OUT)
    return tuple(rules)


def _needed(steps: Sequence[str], question: str) -> list[str]:
    """The steps without those that make no difference to what comes after them."""
    kept: list[str] = []
    later = question
    ordered = bool(_ORDER_WORDS.search(later))
    for step in reversed(steps):
        if not _matters(step, later, ordered):
            continue
        kept.append(step)
        later += step
        # A new table of groups has an order of its own.
        ordered = bool(_ORDER_WORDS.search(step)) or (ordered and not step.startswith("make a new table"))
    return kept[::-1]


def _matters(step: str, later: str, ordered: bool) -> bool:
    """Whether later words speak of what a step changes: its columns, or the order of the rows."""
    if step.startswith("sort the rows by "):
        return ordered
    if not _CHANGES_COLUMNS.match(step) or _ALL_COLUMNS.search(later):
        return True
    if step.startswith("keep only the column"):
        return "join " in later
    if step.startswith("take the first column"):
        return " row labelled " in later
    of_whole_step = step.startswith(("rename", "drop the column"))
    names = _QUOTED.findall(step) if of_whole_step else _CHANGED.findall(step)[-1:]
    return any(form in later for name in names for form in (name, f"{name[:-1]}_x`", f"{name[:-1]}_y`"))
