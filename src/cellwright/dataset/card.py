"""The dataset's card: README.md as the Hugging Face Hub reads it (https://huggingface.co/docs/hub/datasets-cards)."""

import re
from collections.abc import Sequence

import yaml

from cellwright.dataset.report import Report


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
    return "\n".join(
        ["---", yaml.safe_dump(front, sort_keys=False, allow_unicode=True).strip(), "---", "", _body(report, name)]
    )


def _licence(report: Report) -> str:
    """The one licence of all tables; where they differ, `other`: each row tells its own."""
    names = [label for label, _ in report.licences]
    known = len(names) == 1 and names[0] != "unknown" and re.fullmatch(r"[\w.+-]+", names[0])
    return names[0].lower() if known else "other"


def _size(count: int) -> str:
    for bound, label in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K")):
        if count < bound:
            return label
    return "n>100K"


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[object]) -> str:
    plain = (
        " ".join(str(cell).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;") for cell in cells
    )
    return f"| {' | '.join(plain)} |"


def _body(report: Report, name: str) -> str:
    funnel = [
        (s.stage, s.unit, s.kept, s.rejected, "; ".join(f"{reason} ({n})" for reason, n in s.reasons[:3]))
        for s in report.stages
    ]
    return f"""# {" ".join(name.split())}

{report.tasks} questions about tables, from {report.notebooks} notebooks, each with a program that answers it and
the trace of an agent that runs the program. Made by Cellwright {report.versions.get("cellwright", "")}.

A row is in because its program was run again in fresh kernels, with other seeds, on the real tables, and gave its
answer each time. No model's word was taken for anything.

## What is in it

| file | what it holds |
| --- | --- |
| `tasks.parquet` | a row per task: question, contract, answer, tables with licence, oracle, proofs, level, split |
| `traces.parquet` | two rows per task, `thinking` and `non-thinking`: messages and tools for a chat template |
| `tables/` | the tables, named by their SHA-256 |
| `notebooks/` | each trace as a notebook that opens and runs, with its tables beside it |
| `rejects.parquet` | all that did not get in, with the stage and the reason |
| `notebooks.parquet` | what became of every notebook |
| `report.html` | a page to look at: funnel, reasons, ten tasks with their cells |
| `config.yaml` | the settings and versions it was made with |

```python
from datasets import load_dataset

traces = load_dataset("parquet", data_files="traces.parquet", split="train")
row = traces.filter(lambda row: row["split"] == "train" and row["rendering"] == "non-thinking")[0]
text = tokenizer.apply_chat_template(row["messages"], tools=row["tools"], tokenize=False)
```

`tools` and the `arguments` of calls are Arrow's JSON type: `datasets` (5.0 and newer) hands out what they say; other
readers see JSON texts.

Tables never stand on two sides: the column `split` is chosen by groups of tables. `cellwright verify .` computes every
answer again and exits non-zero if one differs.

## How it came about

{_table(("stage", "counts", "kept", "rejected", "most frequent reasons"), funnel)}

{_table(("kind of answer", "tasks"), report.kinds)}

{_table(("level", "tasks"), report.levels)}

{_table(("split", "tasks"), report.splits)}

## Licences

Of the tables, counted once for each task that reads one, by the licence file nearest to the table in its source. It is
a guess for provenance, not legal advice; `unknown` means that no licence file was found or recognised.

{_table(("licence", "tasks"), report.licences)}

## What it does not promise

- A proof says that the program gives the answer again. It does not say that the question is worth asking.
- Questions are worded by templates from the program, in English.
- Answers hold for the library versions named in each row (`environment`).
"""
