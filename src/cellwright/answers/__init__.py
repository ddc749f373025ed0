"""Answers: what one must look like, how it is written and read, and the only place where two are compared.

Pure and total: no function here runs code, reads files or raises for a text that somebody wrote as an answer.
"""

from cellwright.answers.compare import compare
from cellwright.answers.contract import infer, sentence, state
from cellwright.answers.data import contract_from_data, contract_from_text, contract_to_data
from cellwright.answers.parse import parse
from cellwright.answers.render import render, round_value
from cellwright.answers.values import AnswerError, NotParsed, Value, from_json, to_json

__all__ = [
    "AnswerError",
    "NotParsed",
    "Value",
    "compare",
    "contract_from_data",
    "contract_from_text",
    "contract_to_data",
    "from_json",
    "infer",
    "parse",
    "render",
    "round_value",
    "sentence",
    "state",
    "to_json",
]
