"""What a run came to, for a terminal: a line a system. The full tables are Markdown, for pipes and `report`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from asdbench.cli import wrapping as lines
from asdbench.cli.wrapping import columns
from asdbench.metrics.aggregate import Metric
from asdbench.reports.content.evidence import one_line
from asdbench.reports.content.footnotes import NO_RESULT, Letters
from asdbench.reports.content.intervals import intervals_over
from asdbench.reports.content.system_table import SystemTable, best, by_dataset
from asdbench.reports.content.wording import BOLD, PARTS, percent, span

METRICS: tuple[tuple[str, Metric], ...] = (("AUC", "auc"), ("pAUC", "pauc"))


def show(tables: Sequence[SystemTable]) -> None:
    """Print each data set's systems with official score, its interval and mean AUC and pAUC, as wide as the terminal.

    What to mind is marked at the system's name and stands below in capitals.
    """
    console = lines.console()
    for own in by_dataset(tables):
        definition = own[0].definition
        letters, highest = Letters(mind for table in own for mind in table.warnings), best(own)
        beside = any(table.their_score is not None for table in own)
        domains = "\nsource / target" if definition.domains != "nothing" else ""
        single = definition.pauc_of_section
        heads = ["Official\nscore", "95 %\ninterval", f"AUC\n{domains.strip()}", "pAUC" + ("" if single else domains)]
        heads += ["Published\nscore"] if beside else []
        shown = columns(["System"], [head.strip() for head in heads])
        for table in own:
            name = one_line(table.system) + PARTS[table.part]
            numbers = [percent(table.score), span(table.score_bounds), *(_means(table, one) for _, one in METRICS)]
            row = [*numbers, percent(table.their_score)] if beside else numbers
            first = " *" if table in highest else ""
            shown.add_row(Text(name + first) + Text(letters(table.warnings), "bold yellow"), *map(Text, row))
        console.print(Text(f"{one_line(own[0].dataset)}: percent, arithmetic means"))
        console.print(shown)
        over = intervals_over((table.interval_of, one_line(table.system)) for table in own)
        if over:
            console.print(Text(over))
        if highest:
            console.print(Text(BOLD.replace("Bold", "*")))
        for said in letters.key():
            console.print(Text(said, "bold yellow"))
        if any(NO_RESULT & set(table.stamps) for table in own):
            console.print(Text("Synthetic data and untrained networks give no results.", "bold yellow"))


def _means(table: SystemTable, metric: Metric) -> str:
    found = [table.ours.get(column) for column in table.definition.columns() if column[1] == metric]
    return " / ".join(percent(None if mean is None else mean.arithmetic) for mean in found)
