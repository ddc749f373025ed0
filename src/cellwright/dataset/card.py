"""The dataset's card: README.md as the Hugging Face Hub reads it (https://huggingface.co/docs/hub/datasets-cards).

Reasons, licences and names come from notebooks and their sources: they are text here, never Markdown or HTML.
"""

import re
from collections.abc import Mapping, Sequence

import yaml

from cellwright.dataset.report import Report

_HUB_LICENCES: Mapping[str, str] = {"odbl-1.0": "odbl"}
"""Identifiers that the Hub writes otherwise than SPDX in lower case
(https://huggingface.co/docs/hub/repositories-licenses)."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MARKS = re.compile(r"([\\`*_{}\[\]#|~$!])")

TASK_COLUMNS = (
    ("id", "name of the task, the same in every file"),
    ("question", "complete: the tables, the steps, and in words what the answer must look like"),
    ("contract", "the same for programs: kind, unit, decimals, item, key, order, ties, choices"),
    ("answer_json", "the answer as JSON; a mapping is a list of pairs, a date an ISO text"),
    ("tables", "name, SHA-256, bytes and licence of each table; the file is `tables/` + hash + suffix"),
    ("level", "1 (one operation) to 5, from the operations of the program"),
    ("family", "the template that asked"),
    ("provenance", "the notebook: source, path, hash, author, licence"),
    ("notebook_id", "tasks of one notebook share it, or of the tables that several notebooks read from one folder"),
    ("cell", "index, among the notebook's code cells, of the output that was asked about"),
    ("oracle", "the program: cells, a comment for each, and the notebook's cells that they came from"),
    ("proof", "what each gate saw: the seeds of the runs and the verdict on each"),
    ("trivial", "whether the answer stands in the first rows"),
    ("split", "train, validation or test; a table is never on two sides"),
    ("environment", "versions of Python and the libraries that proved it"),
    ("origin", "whether the question was read from a notebook's output or composed over the tables' schema"),
    ("phrasings", "other complete wordings of the same question"),
    ("operations", "what the program did to its tables when it ran, such as join or group; `level` counts them"),
    ("hints", "a ladder of help: the columns, the method in words, the program without literals, the program"),
    ("era", "name of the kernel environment that proved it"),
    ("twin_of", "`id` of the task that this one re-issues on changed tables; empty for tables as they were found"),
)
TRACE_COLUMNS = (
    ("id", "name of the row: the trace and its rendering"),
    ("task_id", "`id` in `tasks.parquet`"),
    (
        "rendering",
        "`non-thinking`: a call says what it does in its argument `comment`; `thinking`: `reasoning_content` does",
    ),
    ("messages", "what a chat template takes: role, content, reasoning_content, tool_calls, tool_call_id"),
    ("tools", "definitions of the tools, JSON"),
    ("question", "the task's question"),
    ("answer", "the answer's text, as the last message gives it"),
    ("split", "the task's split"),
    ("level", "the task's level"),
    ("ending", "why the run ended"),
    ("model", "who played the agent; `oracle` is the proved program"),
    ("kernel", "kind and isolation of the kernel that ran the code"),
    ("notebook", "path of the source notebook in its source"),
)


def render_card(report: Report, name: str) -> str:
    """The card's text: front matter for the Hub, then what a person wants to know."""
    front = {
        "pretty_name": name,
        "license": _licence(report),
        "language": ["en"],
        "task_categories": ["question-answering", "table-question-answering"],
        "tags": ["jupyter", "agents", "data-analysis", "tool-use", "verified"],
        "size_categories": [_size(report.tasks)],
        "configs": [
            {"config_name": "traces", "data_files": "traces.parquet", "default": True},
            {"config_name": "tasks", "data_files": "tasks.parquet"},
        ],
    }
    matter = yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip()
    return "\n".join(["---", matter, "---", "", _body(report, name)])


def _licence(report: Report) -> str:
    """The one licence of all tables, as the Hub writes it; where they differ, `other`: each row tells its own."""
    names = [label for label, _ in report.licences]
    if len(names) != 1 or names[0] == "unknown" or not re.fullmatch(r"[\w.+-]+", names[0], re.ASCII):
        return "other"
    return _HUB_LICENCES.get(names[0].lower(), names[0].lower())


def _size(count: int) -> str:
    return next((label for bound, label in _SIZES if count < bound), "1M<n<10M")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return f"No {head[0]} to count."
    return "\n".join([_row(head), _row([":--"] * len(head)), *(_row([_plain(cell) for cell in row]) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _columns(columns: Sequence[tuple[str, str]]) -> str:
    return "\n".join(
        [_row(("column", "what it holds")), _row((":--", ":--"))]
        + [_row((f"`{name}`", said)) for name, said in columns]
    )


def _plain(value: object) -> str:
    """One line of Markdown that is shown as this text and as nothing else."""
    text = f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
    return _MARKS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def _count(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _summary(report: Report) -> str:
    maker = f"Made by Cellwright {report.versions.get('cellwright', '')}".strip()
    if not report.tasks:
        return f"This build proved no task. `report.html` says where notebooks were lost, and what to do next. {maker}."
    counts = f"{_count(report.tasks, 'question')} about tables, from {_count(report.notebooks, 'notebook')}"
    return f"""{counts}, each with a program that answers it and the trace of an agent that runs the program. {maker}.

A row is in because its program was run again in fresh kernels, with other seeds, on the real tables, and gave its
answer each time. No model's word was taken for anything."""


def _body(report: Report, name: str) -> str:
    return f"""# {_plain(name)}

{_summary(report)}

## What is in it

| file | what it holds |
| :-- | :-- |
| `tasks.parquet` | a row per task: question, contract, answer, tables with licence, oracle, proofs, level, split |
| `traces.parquet` | two rows per task, `thinking` and `non-thinking`: messages and tools for a chat template |
| `tables/` | the tables, named by their SHA-256 |
| `notebooks/` | each trace as a notebook that opens and runs, with its tables beside it |
| `rejects.parquet` | all that did not get in, with the stage and the reason |
| `notebooks.parquet` | what became of every notebook, and what of its code was repaired or lost |
| `report.html` | a page to look at: funnel, reasons, ten tasks with their cells |
| `config.yaml` | the settings and versions it was made with |

### Columns of tasks.parquet

{_columns(TASK_COLUMNS)}

### Columns of traces.parquet

{_columns(TRACE_COLUMNS)}

## How to use it

```python
{_USE}
```

`cellwright verify DIR` computes every answer again, from the program and the tables in the folder `DIR`, and exits
non-zero if one differs. {_MORE_USE}

## How it came about

{_funnel(report)}

Notebooks hold outputs, and outputs lead to tasks: what a stage keeps is counted in the unit that is named.

{_table(("kind of answer", "tasks"), report.kinds)}

{_table(("level", "tasks"), report.levels)}

{_table(("family", "tasks"), report.families)}

{_table(("split", "tasks"), report.splits)}

{_gates(report)}

## Licences

Of the tables, counted once for each task that reads one, by the licence file nearest to the table in its source. It is
a guess for provenance, not legal advice; `unknown` means that no licence file was found or recognised. The programs
are made of the notebooks' own lines: the column `provenance` names their source, author and licence.

{_table(("licence", "tasks"), report.licences)}

## What it does not promise

- A proof says that the program, run again in fresh kernels, gives the answer. It does not say that the question is
  worth asking, nor that the notebook's author analysed the data well.
- A guesser is a rule. A model that has read about a public table may know more of it by heart.
- Questions are worded by templates from the program, in English.
- Answers hold for the library versions named in each row (`environment`).
- Tables and notebooks are as they were found: nobody has read them for errors, bias or personal data.
"""


def _funnel(report: Report) -> str:
    rows = [
        (s.stage, s.unit, s.kept, s.rejected, "; ".join(f"{reason} ({n:,})" for reason, n in s.reasons[:3]))
        for s in report.stages
    ]
    return _table(("stage", "counts", "kept", "rejected", "most frequent reasons"), rows)


def _gates(report: Report) -> str:
    """What the gates stopped, and what can be guessed; nothing where a report has neither."""
    rows = [(gate.gate, gate.passed, gate.stopped) for gate in report.gates]
    parts = [_table(("gate", "tasks kept", "tasks stopped"), rows)] if rows else []
    best = max(report.guessers, key=lambda guesser: guesser.after, default=None)
    if best is not None:
        parts.append(
            f"{len(report.guessers)} programs that do not see the tables answer every question; the best of them"
            f" ({_plain(best.guesser)}) is right about {100 * best.after:.1f}% of the tasks."
        )
    return "\n\n".join(parts)


_USE = """import json

from datasets import load_dataset
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("Qwen/Qwen3-4B")
traces = load_dataset("parquet", data_files="traces.parquet", split="train")
row = traces.filter(lambda row: row["split"] == "train" and row["rendering"] == "non-thinking")[0]
tools = json.loads(row["tools"]) if isinstance(row["tools"], str) else row["tools"]
text = tokenizer.apply_chat_template(row["messages"], tools=tools, tokenize=False)"""

_MORE_USE = """`split="train"` above is the whole file, as `datasets` calls it; the dataset's own splits stand
in the column `split`, which is chosen by groups of tables: no table is on two sides.

`tools`, and the `arguments` of each call in `messages`, are Arrow's JSON type: `datasets` 5.0 and newer hands out what
they say; with other readers they are texts, for `json.loads`."""
