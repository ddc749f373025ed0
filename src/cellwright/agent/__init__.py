"""The scaffold: one loop, two tools, what a model sees of a cell's outputs, and the prompts."""

from cellwright.agent.assignment import Assignment, RunLimits
from cellwright.agent.loop import run_agent
from cellwright.agent.observation import Observation, observe
from cellwright.agent.prompts import DEFAULT_PROMPT, load_prompt, prompt_names
from cellwright.agent.tools import EXECUTE_CODE, FINAL_ANSWER, tools_json
from cellwright.agent.watcher import Approval, Watcher

__all__ = [
    "DEFAULT_PROMPT",
    "EXECUTE_CODE",
    "FINAL_ANSWER",
    "Approval",
    "Assignment",
    "Observation",
    "RunLimits",
    "Watcher",
    "load_prompt",
    "observe",
    "prompt_names",
    "run_agent",
    "tools_json",
]
