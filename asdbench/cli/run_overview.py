"""What a run came to, for a terminal: a line a system. The full tables are Markdown, for pipes and `report`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from asdbench.cli import wrapping as lines
from asdbench.metrics.aggregate import Metric
from asdbench.reports.content.footnotes import NO_RESULT, Letters
from asdbench.reports.content.system_table import SystemTable, best
from asdbench.reports.text.markdown import BOLD, NOT_THERE, PARTS, span

METRICS: tuple[tuple[str, Metric], ...] = (("AUC", "auc"), ("pAUC", "pauc"))


def show(tables: Sequence[SystemTable]) -> None:
    """Print each data set's systems with official score, its interval and mean AUC and pAUC, as wide as the terminal.

    What to mind is marked at the system's name and stands below in capitals.
    """
    console = lines.console()
    for dataset, definition in dict.fromkeys((table.dataset, table.definition) for table in tables):
        own = [table for table in tables if (table.dataset, table.definition) == (dataset, definition)]
        letters, highest = Letters(mind for table in own for mind in table.warnings), best(own)
        beside = any(table.their_score is not None for table in own)
        shown = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
        shown.add_column("System", overflow="fold")
        domains = "\nsource / target" if definition.domains != "nothing" else ""
        single = definition.pauc_of_section
        heads = ["Official\nscore", "95 %\ninterval", f"AUC\n{domains.strip()}", "pAUC" + ("" if single else domains)]
        for head in [*heads, *(["Published\nscore"] if beside else [])]:
            shown.add_column(head.strip(), justify="right", no_wrap=True)
        for table in own:
            name = _plain(table.system) + PARTS[table.part]
            numbers = [_percent(table.score), span(table.score_bounds), *(_means(table, one) for _, one in METRICS)]
            row = [*numbers, _percent(table.their_score)] if beside else numbers
            first = " *" if any(table is one for one in highest) else ""
            shown.add_row(Text(name + first) + Text(letters(table.warnings), "bold yellow"), *map(Text, row))
        console.print(Text(f"{_plain(dataset)}: percent, arithmetic means"))
        console.print(shown)
        if highest:
            console.print(Text(BOLD.replace("Bold", "*")))
        for said in letters.key():
            console.print(Text(said, "bold yellow"))
        if any(NO_RESULT & set(table.stamps) for table in own):
            console.print(Text("Synthetic data and untrained networks give no results.", "bold yellow"))


def _means(table: SystemTable, metric: Metric) -> str:
    found = [table.ours.get(column) for column in table.definition.columns() if column[1] == metric]
    return " / ".join(_percent(None if mean is None else mean.arithmetic) for mean in found)


def _plain(name: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", name)


def _percent(value: float | None) -> str:
    return NOT_THERE if value is None else f"{value:.2f}"
