"""A model that proposes repairs. It is asked when the rules have nothing left, and believed as little as they are."""

import re
from collections.abc import AsyncIterator

from cellwright.core.types import Message
from cellwright.models import Model, Request, Sampling
from cellwright.proof.repair.cells import statements
from cellwright.proof.repair.failures import Failure, cause_of
from cellwright.proof.repair.proposers import Proposal

_CONTEXT_CHARS = 6_000
_MOST_PROPOSALS = 2
_BLOCK = re.compile(r"```(?:python|py)?[ \t]*\n(.*?)```", re.DOTALL)
_TASK = """A statement of a Jupyter notebook fails with today's libraries. Write it so that it runs and gives \
the value that it was meant to give. Change nothing else, invent no data, leave no step out. Answer with the new \
statement in one Python code block alone.

The notebook so far:
```python
{context}
```
The statement:
```python
{statement}
```
The error:
{error}"""


class ModelProposer:
    """Asks a model about statements that fail for a reason that code can mend."""

    def __init__(self, model: Model) -> None:
        self._model = model

    async def propose(self, failure: Failure) -> AsyncIterator[Proposal]:
        """What the model says. Raises what `Model.reply` raises."""
        if cause_of(failure) not in ("unknown", "plot", "not Python 3"):
            return
        context = "\n\n".join(failure.sources[: failure.cell])[-_CONTEXT_CHARS:]
        asked = _TASK.format(context=context, statement=failure.statement.source, error=failure.text[:2000])
        for index in range(_MOST_PROPOSALS):
            request = Request([Message("user", asked)], "[]", Sampling(index=index))
            reply = await self._model.reply(request)
            found = _BLOCK.search(reply.message.content)
            text = found[1].strip("\n") if found is not None else ""
            if text.strip() and text != failure.statement.source and statements(text) is not None:
                why = f"proposed by {self._model.traits.name}"
                yield Proposal("model", why, failure.cell, failure.statement, text, may_be_part=False, is_guess=True)
