"""The scripted server of the benchmark, in a process of its own: prints its URL, ends with its standard input.

`python -m benchmarks.agent.server LATENCY_S TURNS`: every chat gets TURNS - 1 cells and an answer.
"""

import hashlib
import json
import sys
from typing import Any

from cellwright.core.types import Message, ToolCall
from cellwright.models.server import ScriptedServer


def main() -> None:
    latency_s, turns = float(sys.argv[1]), int(sys.argv[2])
    asked: dict[str, int] = {}

    def script(request: dict[str, Any]) -> Message:
        turn = sum(message["role"] == "assistant" for message in request["messages"])
        chat = hashlib.sha256(json.dumps(request["messages"]).encode()).hexdigest()
        asked[chat] = asked.get(chat, 0) + 1
        if turn < turns - 1:
            arguments = {"code": f"x = {turn}\nprint(x + 1)", "comment": "One step."}
            return Message("assistant", "", tool_calls=(ToolCall(f"c{turn}", "execute_code", json.dumps(arguments)),))
        arguments = {"answer": str(turn), "comment": "Done."}
        return Message("assistant", "", tool_calls=(ToolCall(f"c{turn}", "final_answer", json.dumps(arguments)),))

    with ScriptedServer(script, latency_s=latency_s) as server:  # type: ignore[arg-type]
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        for _ in sys.stdin:
            twice = sum(count - 1 for count in asked.values())
            sys.stdout.write(json.dumps({"asked": len(asked), "again": twice, "replies": server.replies}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
