"""The one answer that a sentence gives, for contracts that allow a sentence.

A sentence is believed where it plainly gives the answer: a word that leads to an answer stands right before it ("there
were 12"), nothing or what is counted stands after it ("12 orders", not "12 short"), it is the last sentence, and no
word turns what it says ("not", "if", "wrong"). Nobody can list all words of doubt, so the rest is left unscored, as are
sentences with two candidates: which of them is the answer would be a guess.
"""

import re
from itertools import islice

from cellwright.answers.clean import comparable, marked, normal, without_latex
from cellwright.answers.dates import parse_date
from cellwright.answers.numbers import parse_number, spelled
from cellwright.answers.scalars import MAX_SENTENCE_CHARS, labels_in
from cellwright.answers.units import PERCENT, SCALES, SYMBOLS, is_known_unit, same_unit
from cellwright.answers.values import NUMERIC, NotParsed, Scalar
from cellwright.core.types import Contract

_HEDGES = re.compile(
    r"\b(maybe|perhaps|probably|possibly|presumably|apparently|supposedly|hopefully|might|may be|could be|not sure|"
    r"unsure|i (?:guess|think|believe|suppose)|it depends|or so|give or take|estimat\w+)\b|\?",
    re.IGNORECASE,
)
_HEDGE_BEFORE = re.compile(
    r"(?:\b(?:about|approx\w*|around|roughly|nearly|almost|circa|ca\.|at least|at most|more than|less than|fewer than|"
    r"over|under|above|below|up to|not|isn't|between|likely|either|or|close to|some|in excess of)|[~≈<>≤≥±])\W*$",
    re.IGNORECASE,
)
_HEDGE_AFTER = re.compile(
    r"\W{0,3}(?:or\b|-?ish\b|\+|\?|at least|at most|approximately|is (?:wrong|not))", re.IGNORECASE
)
_TURNED = re.compile(
    r"\b(?:not|no|none|never|neither|nor|cannot|without|except\w*|exclud\w*|instead|rather|unlike|if|unless|otherwise|"
    r"would(?! (?:call|say|describe|classify|label))|could|should|doubt\w*|wrong|incorrect\w*|false|untrue|"
    r"den(?:y|ie[sd])|reject\w*|refus\w*|fail\w*|hardly|barely|scarcely|but|however|(?:al)?though|yet|than|before|"
    r"previously|formerly|earlier|prior|old|original\w*|initial\w*|or|unclear|unknown|impossible|unlikely|"
    r"far from|claim\w*|until|suppos\w*|assum\w*|let|whether|ask\w*|expect\w*|errors?|last|thought|used to)\b|"
    r"n't\b|^\W*(?:is|are|was|were|do|does|did|can)\b",
    re.IGNORECASE,
)
"""Words with which a sentence may say the contrary of what stands in it, say it of something else, or ask for it."""

_AFTER = "|".join(sorted((re.escape(word) for word in PERCENT | set(SCALES)), key=len, reverse=True))
_MARKS = r"[\s\"'*_`]*$"
_LEADS = (
    r"is|are|was|were|has|have|had|finds?|found|gets?|got|counts?|counted|contains?|contained|includes?|identified|"
    r"observed?|recorded|see|consists? of|shows?|showed|gives?|gave|yields?|returns?|returned|equals?|equal to|"
    r"(?:comes?|came|amounts?|amounted|sums?|adds? up) to|totals?|remains?|reach(?:es|ed)|exactly|precisely|only|"
    r"altogether|an? (?:\w+ )?(?:total|average|mean|median|sum|count|share|rate|score|correlation|maximum|minimum) of"
)
_TO_NUMBER = re.compile(rf"(?:^|[:=,]|\b(?:{_LEADS})){_MARKS}", re.IGNORECASE)
_TO_LABEL = re.compile(
    r"(?:^|[:=,]|\b(?:is|are|was|were|it|as|the|an?|in|group|category|class|label|level|called))" + _MARKS,
    re.IGNORECASE,
)
_TO_DATE = re.compile(r"(?:^|[:=,]|\b(?:is|was|on|dated))" + _MARKS, re.IGNORECASE)
_CHANGED_AFTER = re.compile(
    r"\W*(?:\w+\s+){0,2}(?:less|fewer|lower|below|smaller|down|decreas\w*|declin\w*|drop\w*|loss\w*|times|fold|dozen|"
    r"hundred|squared|points?|plus|minus|higher|larger|above|more|too|short|shy|off|away|apart|ago|each|every|per)\b",
    re.IGNORECASE,
)
"""What makes another number of the one before it, or another sign."""
_COUNTED_AFTER = re.compile(
    r"[\s*`_\"']*(?:of (?:them|these|those)\b)?(?:,? (?:altogether|in (?:all|total))\b)?(?:,? which is the answer)?"
    r"[\s*`_\"']*[.!]?[\s*`_\"']*$|"
    r"\W{0,3}\s(?:[a-z-]+\s){0,2}(?:(?!(?:is|was|has|does|its|his|as|this|thus|always|besides)\b)[a-z-]+(?<!s)s|"
    r"people|persons?|men|women|children|data|series|species)\b(?![^.!?]*[.!?]\s+\S)",
    re.IGNORECASE,
)
"""What leaves a number what it is: the end, or what was counted, at most two words after it and in the plural."""
_IS_TRUE = re.compile(
    r"(?:(?:so|thus|therefore|hence),? )?(?:it|this|that|(?:the|this|that) (?:statement|hypothesis|answer|assumption)) "
    r"(?:is|was) (?:indeed |clearly )?(true|false)[.!]?"
)
_DATE_IN = re.compile(
    r"(?:\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,? )?(?:"
    r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]\d{1,2}:\d{2}(?::\d{2})?)?|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|"
    r"\d{1,2}(?:st|nd|rd|th)?(?: of)? [A-Z][a-z]{2,8}\.?,? \d{4}|"
    r"[A-Z][a-z]{2,8}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4})(?!\s*[+-]\s*\d)"
)
_MOST_CANDIDATES = 20
_SEVERAL = NotParsed("the sentence holds several candidates for the answer", "unclear")
_NONE = NotParsed("the sentence holds no answer of the kind that was asked for", "kind")
_HEDGED = NotParsed("the sentence hedges", "hedged")
_NOT_PLAIN = NotParsed("the sentence does not plainly give its answer", "unclear")


def from_sentence(text: str, contract: Contract) -> Scalar | NotParsed:
    """The value that a sentence gives under its contract, when it gives exactly one."""
    if len(text) > MAX_SENTENCE_CHARS or marked(text):
        return NotParsed("it is too long to be a sentence", "unclear")
    if _HEDGES.search(text):
        return _HEDGED
    if contract.kind in NUMERIC:
        return _number(text, contract)
    if contract.kind == "boolean":
        return _boolean(normal(text).casefold())
    if contract.kind == "date":
        return _date(normal(text), contract)
    if contract.kind == "category" and contract.choices:
        return _label(text, contract)
    return NotParsed("which of its words are the answer cannot be told", "unclear")


def _number(text: str, contract: Contract) -> Scalar | NotParsed:
    written = spelled(without_latex(text).replace("**", "").replace("`", ""))
    unit = rf"|{re.escape(contract.unit)}" if contract.unit and contract.unit != "fraction" else ""
    token = re.compile(
        rf"(?<![\w.,/])(?:[+-]\s?)?(?:{SYMBOLS})?\s?[+-]?(?:\d[\d.,'_]*(?:[eE][+-]?\d+)?|\.\d+)"
        rf"(?:\s?(?:{_AFTER}{unit})(?!\w))?(?:\s(?:{_AFTER}{unit})(?!\w))?(?!\w|[/:]\d)",
        re.IGNORECASE,
    )
    found: set[Scalar] = set()
    refused: NotParsed | None = None
    hedged: list[bool] = []
    plain = not _TURNED.search(written)
    for match in islice(token.finditer(written), _MOST_CANDIDATES):
        before, after = written[max(0, match.start() - 40) : match.start()], written[match.end() :]
        hedged.append(bool(_HEDGE_BEFORE.search(before) or _HEDGE_AFTER.match(after)))
        value = parse_number(match[0].rstrip(".,'_ "), contract)
        if isinstance(value, NotParsed):
            refused = value
        else:
            found.add(value)
        is_led = _TO_NUMBER.search(before) if match.start() else True
        plain = plain and bool(is_led) and not _changes(_counted(match[0], contract) + after, contract)
    if any(hedged):  # "Between 2010 and 2012 there were 12" may hedge about the years alone.
        return _HEDGED if all(hedged) else _SEVERAL
    if found and (refused or len(found) > 1):
        return _SEVERAL
    if refused or not found:
        return refused or _NONE
    return found.pop() if plain else _NOT_PLAIN


def _counted(number: str, contract: Contract) -> str:
    """What the contract counts, when it stands behind the number: a unit that is no measure, such as `orders`."""
    unit = contract.unit or ""
    behind = unit and number.casefold().endswith(unit.casefold()) and not is_known_unit(unit)
    return f" {number[-len(unit) :]}" if behind else ""


def _changes(after: str, contract: Contract) -> bool:
    """Whether the words after a number may make another one of it: a unit that was not asked for, `lower`, `each`."""
    word = re.match(r"\s?([^\W\d]+|[°²³]\w*)", after)
    if word and word[1] != "in" and is_known_unit(word[1]):
        if not same_unit(word[1], contract.unit or ""):
            return True
        after = after[word.end() :]
    return _CHANGED_AFTER.match(after) is not None or _COUNTED_AFTER.match(after) is None


def _label(text: str, contract: Contract) -> Scalar | NotParsed:
    found = labels_in(text, contract)
    if len(found) != 1:
        return _SEVERAL if found else _NONE
    written = comparable(text, case_sensitive=contract.case_sensitive)
    label = re.escape(comparable(found[0], case_sensitive=contract.case_sensitive))
    places = list(re.finditer(rf"(?<!\w){label}(?!\w|-)", written))
    plain = bool(places) and all(_TO_LABEL.search(written[: place.start()]) for place in places)
    return found[0] if plain and not _TURNED.search(re.sub(label, "", written)) else _NOT_PLAIN


def _boolean(text: str) -> Scalar | NotParsed:
    if re.search(r"\b(yes and no|yes or no|but)\b", text):
        return _HEDGED
    if first := re.match(r"\W*(yes|no)\b(?=\s*(?:[,.:;!-]|$))", text):
        return _after_yes_or_no(first[1], re.sub(r"\bno (?:doubt|question)\b", "", text[first.end() :]))
    if plain := _IS_TRUE.fullmatch(text.strip()):
        return plain[1] == "true"
    return _NOT_PLAIN if re.search(r"\b(yes|no|true|false)\b", text) else _NONE


def _after_yes_or_no(said: str, rest: str) -> Scalar | NotParsed:
    """What is left of the first word of a sentence after the others."""
    other = "no" if said == "yes" else "yes"
    if re.search(rf"[,.:;!-]\s*(?:actually,? |rather,? )?{other}\b\s*(?:[,.:;!]|$)", rest):
        return _HEDGED
    contrary = "no|not|never|cannot|false|wrong|untrue|incorrect" if said == "yes" else "yes|true|correct|right"
    unsure = "if|unless|except|otherwise|actually|however|although|though|only|partly|sometimes|or|sort|kind|mostly"
    negated = r"|n't\b" if said == "yes" else ""
    return _NOT_PLAIN if re.search(rf"\b(?:{contrary}|{unsure})\b{negated}", rest) else said == "yes"


def _date(text: str, contract: Contract) -> Scalar | NotParsed:
    matches = list(_DATE_IN.finditer(text))
    found = {parse_date(match[0], contract) for match in matches}
    if re.search(r"\b(about|around|between|or)\b", text):
        return _HEDGED
    if len(found) != 1:
        return _SEVERAL if found else _NONE
    plain = not _TURNED.search(text) and all(_TO_DATE.search(text[: match.start()]) for match in matches)
    return found.pop() if plain else _NOT_PLAIN
