"""The line of figures above the list."""

from __future__ import annotations

from rich.cells import cell_len
from rich.text import Text

from planner.core.plan import PENDING
from planner.core.text import size
from planner.ui.plan.words import SYMBOLS
from planner.ui.review.arrangement import WORDS
from planner.ui.review.model import PlanModel


def figures(model: PlanModel, width: int) -> Text:
    """What is selected, what it costs, and what is to happen, as far as it fits."""
    chosen, total = model.selection, len(model.plan.pending)
    text = Text(
        f" {len(chosen):,} of {total:,} selected   {size(chosen.bytes_to_send)} to send ", "bold"
    )
    for op, word in WORDS.items():
        count = chosen.counts[op] if op in PENDING else model.counts[op]
        part = f"  {SYMBOLS[op]}{count:,} {word}"
        if model.counts[op] and cell_len(text.plain) + len(part) <= width:
            text.append(part)
    return text
