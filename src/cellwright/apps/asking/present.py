"""What `ask` says to machines."""

import json
from dataclasses import asdict

from cellwright.apps.asking.session import Outcome


def outcome_json(outcome: Outcome) -> str:
    """The answers and what they took, as one JSON object."""
    questions = [
        {
            "answer": trace.answer,
            "ending": trace.ending,
            "detail": trace.detail,
            "steps": len(trace.steps),
            "usage": asdict(trace.usage),
            "seconds": round(trace.seconds, 3),
            "model": trace.model,
            "kernel": trace.kernel,
        }
        for trace in outcome.traces
    ]
    facts = {
        "notebook": str(outcome.out),
        "verified": outcome.verified,
        "questions": questions,
        "left_out": list(outcome.left_out),
    }
    return json.dumps(facts, ensure_ascii=False)
