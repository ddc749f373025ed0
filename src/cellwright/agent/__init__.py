"""The scaffold: one loop, two tools, what a model sees of a cell's outputs, and the prompts."""

from cellwright.agent.loop import RunLimits, run_agent
from cellwright.agent.observation import observe
from cellwright.agent.tools import EXECUTE_CODE, FINAL_ANSWER, tools_json

__all__ = ["EXECUTE_CODE", "FINAL_ANSWER", "RunLimits", "observe", "run_agent", "tools_json"]
