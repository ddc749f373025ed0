"""Tasks as screening sees them: a question, a contract, an answer."""

import json

from cellwright.answers import state
from cellwright.core.types import Contract, Provenance, Table, Task


def task(question: str, answer: object, contract: Contract, *, table: str = "shop.csv", family: str = "count") -> Task:
    """A task that says its contract."""
    return Task(
        id=f"{family}-{question}-{answer}",
        question=state(question, contract),
        contract=contract,
        answer_json=json.dumps(answer),
        tables=(Table("ab" * 32, table, 10),),
        level=1,
        family=family,
        provenance=Provenance("zip", "a.ipynb", "0" * 64),
        notebook_id="n",
        cell=0,
        oracle=None,
    )


INTEGER, NUMBER, TEXT, BOOLEAN = (
    Contract("integer"),
    Contract("number", decimals=2),
    Contract("text"),
    Contract("boolean"),
)
