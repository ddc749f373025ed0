"""The words and marks around an answer: such as leave it what it is, and such as take it away."""

from collections.abc import Callable, Mapping, Sequence

WRAPPED: Mapping[str, Callable[[object], str]] = {
    "as it is": lambda text: f"{text}",
    "spaces around": lambda text: f"  {text}\n",
    "bold": lambda text: f"**{text}**",
    "code": lambda text: f"`{text}`",
    "label": lambda text: f"Answer: {text}",
    "bold label": lambda text: f"**Answer:** {text}",
    "final label": lambda text: f"Final answer: {text}",
    "bold final label": lambda text: f"**Final Answer**: {text}",
    "label on a line": lambda text: f"Final answer:\n{text}",
    "sentence of a label": lambda text: f"The answer is {text}",
    "final sentence of a label": lambda text: f"The final answer is: {text}",
    "tags": lambda text: f"<answer>{text}</answer>",
    "tags on lines": lambda text: f"<answer>\n{text}\n</answer>",
    "thought before": lambda text: f"<think>It could be 17, or none.</think>\n\n{text}",
    "tag that stays open": lambda text: f"Let us see.\n<answer>{text}",
    "HTML": lambda text: f"<b>{text}</b>",
    "fence": lambda text: f"```\n{text}\n```",
    "quotes": lambda text: f'"{text}"',
    "byte order mark": lambda text: f"\ufeff{text}",
    "zero width space": lambda text: f"{text}\u200b",
    "no-break spaces": lambda text: f"\u00a0{text}\u00a0",
    "heading": lambda text: f"### Answer\n{text}",
}
BOXES: Mapping[str, Callable[[object], str]] = {
    "box": lambda text: rf"\boxed{{{text}}}",
    "box in dollars": lambda text: rf"$\boxed{{{text}}}$",
    "box in brackets": lambda text: rf"\[ \boxed{{{text}}} \]",
    "box after a label": lambda text: rf"The final answer is $\boxed{{{text}}}$.",
}
HEDGED: Sequence[str] = (
    "about {}", "About {}.", "approximately {}", "approx. {}", "around {}", "roughly {}", "nearly {}", "almost {}",
    "~{}", "~ {}", "≈{}", "≈ {}", "ca. {}", "circa {}", "at least {}", "at most {}", "more than {}", "less than {}",
    "over {}", "under {}", "up to {}", "> {}", "<{}", "≥ {}", "<= {}", "{}+", "{}?", "{}-ish", "{} or so", "maybe {}",
    "perhaps {}", "probably {}", "possibly {}", "{} (approximately)", "{} (approx.)", "{} (estimated)", "{}, roughly",
    "{} or more", "{} or less", "{}, I guess", "somewhere near {}", "close to {}", "likely {}", "not {}", "Not {}.",
    "anything but {}", "{} is wrong", "{}... maybe", "{} ± 1", "{} +/- 1", "unlikely to be {}", "fewer than {}",
    r"\approx {}", r"$\approx {}$", r"$\sim {}$", r"\boxed{{\approx {}}}", "**about {}**", "Answer: roughly {}",
    "{} give or take", "an estimated {}", "{} at least", "{}, but I am not sure", "I am not sure, {}?", "it may be {}",
    "{} and counting", "no more than {}", "just under {}", "{} minus a few", r"\leq {}", "≠ {}", "!= {}",
    "a bit over {}",
    "{} (not verified)", "{} (guess)", "if I had to guess: {}", "{} × 2", "twice {}", "half of {}",
)  # fmt: skip
SEVERAL: Sequence[str] = (
    "{0} or {1}", "{0} and {1}", "{0}, {1}", "{0}; {1}", "{0}/{1}", "{0} / {1}", "{0}-{1}", "{0} - {1}", "{0}–{1}",
    "{0} to {1}", "between {0} and {1}", "from {0} to {1}", "either {0} or {1}", "{0} (or {1})", "{0}\n{1}",
    "{0}, or perhaps {1}", "{0} | {1}", "[{0}, {1}]", "({0}, {1})", r"\boxed{{{0}}} \boxed{{{1}}}",
    r"\boxed{{{0}}} or \boxed{{{1}}}", r"\boxed{{{0}, {1}}}", "Answer: {0}\nAnswer: {1}", "{0}\n\nActually, {1}",
    "{0}... no, {1}", "Not {0} but {1}", "{0} vs {1}", "1. {0}\n2. {1}", "- {0}\n- {1}", "{0} instead of {1}",
    "<answer>{0}</answer><answer>{1}</answer>", "{0} (previously {1})", "{0} [{1}]", "{0} != {1}", "{0} = {1}",
    "**{0}** or **{1}**", "`{0}` or `{1}`", "A: {0}, B: {1}", "{{{0}, {1}}}", "min {0}, max {1}", "{0}..{1}",
    "Answer: {0} or {1}", "The answer is {0} or {1}", "The answer is {0}. The answer is {1}.", "{0} & {1}",
    "{0} -> {1}", "{0} ({1})", "<answer>{0}</answer> or <answer>{1}</answer>", "{0}\t{1}", "{0} rather than {1}",
    '{{"a": {0}, "b": {1}}}', "| {0} | {1} |", "Answer: {0}, not {1}", "first {0}, then {1}", "{0} < {1}",
    "<think>{1}</think>{0} or {1}", "{0}\n{0}\n{1}",
)  # fmt: skip
NOTHING: Sequence[str] = (
    "", " ", "\n", "None", "null", "nan", "NaN", "N/A", "Not Applicable", "unknown", "Unknown", "I don't know",
    "I cannot answer this.", "-", "—", "?", "...", "error", "TBD", "[]", "{}", "()", '""', "''", "answer",
    "Answer:", "The answer is", "**", "\\boxed{}", "<answer></answer>", "not available", "no answer", "undefined",
    "KeyError: 'x'", "Traceback (most recent call last):", "see above", "as computed", "inf", "-inf", "x", "the mean",
    "\u200b", "\x00", "$", "%", "$$", "\\", "/", ".", ",", "e5", "½½", "+", "true", "yes", "df['x'].mean()",
)  # fmt: skip
