"""What a comparison says, for all formats: the sentence to quote, the lines of its tables, the notes. Plain text.

A point is one percent of the scale. The words *better*, *worse* and *equivalent* are of methods, and stand only where
the trainings were counted; of single trainings it is said which *scores higher on these clips*.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from asdbench.api import Cell
from asdbench.judging.compared import Compared, Part, Side
from asdbench.judging.conclusions import Verdict
from asdbench.judging.methods import Comparison
from asdbench.judging.pair import Quantity
from asdbench.metrics.aggregate import Metric
from asdbench.reports.content.footnotes import NO_RESULT, some
from asdbench.reports.content.intervals import hanging
from asdbench.words import counted, listed

NAMES: dict[Quantity, str] = {"official": "official score", "auc": "mean AUC", "pauc": "mean pAUC"}
METRICS: dict[Metric, str] = {"auc": "AUC", "pauc": "pAUC"}
PLANNED = 5
"""Trainings that are advised where there is one."""
FEW_SEEDS = 3
"""Trainings of each below which a verdict promises little."""
FEW_CLIPS = 50
"""Clips of a class below which intervals of a cell's pAUC are too short."""


@dataclass(frozen=True)
class Line:
    """A line of a table.

    Parameters
    ----------
    kind : {"methods", "machines like these", "trainings", "machine", "cell"}
    quantity : {"official", "auc", "pauc"}
    verdict : Verdict
    machine, section, domain : str
        Where it is of one machine or cell; else "".
    """

    kind: str
    quantity: Quantity
    verdict: Verdict
    machine: str = ""
    section: str = ""
    domain: str = ""


def overall(pair: Comparison) -> list[Line]:
    """The lines over all cells: of the methods and of machines like these, or of these very trainings."""
    if pair.methods is None:
        return [Line("trainings", quantity, own) for quantity, own in pair.trainings.items()]
    lines = [Line("methods", quantity, own) for quantity, own in pair.methods.items()]
    like = pair.machines_like_these or {}
    return lines + [Line("machines like these", quantity, own) for quantity, own in like.items()]


def of_machines(pair: Comparison) -> list[Line]:
    """The lines of each machine; none where there is one machine, or one training of a side."""
    machines = pair.machines or {}
    if len(machines) < 2:
        return []
    return [Line("machine", quantity, own, name) for name, each in machines.items() for quantity, own in each.items()]


def of_cells(pair: Comparison) -> list[Line]:
    """The lines of each value of a cell, each value once."""
    return [
        Line("cell", metric, own, cell.machine, cell.section, cell.domain)  # type: ignore[arg-type]  # auc or pauc
        for (cell, metric), own in pair.cells.items()
    ]


def name_of(line: Line) -> str:
    """What a line of :func:`overall` is of."""
    name = NAMES[line.quantity]
    name = f"{name[0].upper()}{name[1:]}"
    return f"{name}, machines like these" if line.kind == "machines like these" else name


def sentence(compared: Compared, part: Part, pair: Comparison) -> str:
    """The verdict on two systems in one sentence that can be quoted: the claim, its numbers, and what it rests on.

    Parameters
    ----------
    compared : Compared
    part : Part
        One of its parts.
    pair : Comparison
        One of the part's.
    """
    a, b = compared.side(pair.a), compared.side(pair.b)
    stamps = "; ".join(stamps_of([a, b]))
    place = where(compared, part)
    said = [f"{place}{f' ({stamps})' if stamps else ''}{', ' if place or stamps else ''}{claim(pair)}"]
    if pair.methods is None:
        alone = [one.name for one, k in zip((a, b), pair.seeds, strict=True) if k < 2 and not one.deterministic]
        said.append(
            f"there is one training of {listed(alone)}, so nothing follows about the methods"
            f" (--seeds with {PLANNED} numbers would tell more)"
        )
        if pair.trainings["official"].low is None:
            said.insert(1, f"by the mean AUC, {_claim(pair, 'auc')}")
    elif pair.methods["official"].low is None and pair.methods["official"].conclusion == "undecided":
        said.append(f"by the mean AUC, {_claim(pair, 'auc')}")
    said += [_collapsed(side) for side in (a, b) if side.collapsed]
    text = "; ".join(said) + "."
    return f"{text[0].upper()}{text[1:]}" if not place else text


def where(compared: Compared, part: Part) -> str:
    """``on dcase2021, evaluation sections``; empty where nothing is known of the data."""
    names = list(dict.fromkeys(side.dataset for side in compared.sides if side.dataset))
    return f"On {listed(names)}{', evaluation sections' if part.part == 'eval' else ''}" if names else ""


def claim(pair: Comparison) -> str:
    """What follows for the official score, without what it rests on."""
    return _claim(pair, "official")


def _claim(pair: Comparison, quantity: Quantity) -> str:
    name = NAMES[quantity]
    if pair.methods is None:
        return _of_trainings(pair, pair.trainings[quantity], name)
    own = pair.methods[quantity]
    seeds = _seeds(pair)
    if own.conclusion in ("better", "worse"):
        first, second = (pair.a, pair.b) if own.conclusion == "better" else (pair.b, pair.a)
        gap = abs(100 * own.difference)
        return f"{first} is better than {second}: its {name} is {gap:.1f} points higher ({_surely(own, seeds)})"
    points = f"{signed(own.difference)} points of {name}"
    if own.conclusion == "equivalent":
        also = f", though {pair.a} is detectably {own.detectably}" if own.detectably else ""
        within = f"within {margin_of(pair.margin)}"
        why = f"; {own.reason}" if own.reason else ""
        return f"{pair.a} and {pair.b} are equivalent {within}{also}: {points} ({_surely(own, seeds)}{why})"
    why = f"; {own.reason}" if own.reason else ""
    return f"it is undecided whether {pair.a} or {pair.b} is better: {points} ({_surely(own, seeds)}){why}"


def _of_trainings(pair: Comparison, own: Verdict, name: str) -> str:
    """What is seen of these very trainings; no word about methods."""
    seeds = "these two trainings" if max(pair.seeds) == 1 else "these trainings"
    sure = "no 95 % interval over clips can be given" if own.low is None else f"95 % interval over clips {span(own)}"
    higher = own.low is not None and own.high is not None and not own.low <= 0 <= own.high
    if higher:
        first, second = (pair.a, pair.b) if own.difference > 0 else (pair.b, pair.a)
        low, high = sorted((abs(own.low or 0), abs(own.high or 0)))
        sure = f"95 % interval over clips {plain(low)} to {plain(high)}"
        gap = f"{abs(100 * own.difference):.1f} points"
        return f"of {seeds}, that of {first} has {_a(name)} {gap} higher than that of {second} ({sure})"
    return f"{seeds} of {pair.a} and {pair.b} differ by {signed(own.difference)} points of {name} ({sure})"


def _seeds(pair: Comparison) -> str:
    """How many trainings of each: the number that must be fixed before looking."""
    counts = [
        f"{name} is deterministic" if fixed else f"{counted(k, 'training')} of {name}"
        for name, k, fixed in zip((pair.a, pair.b), pair.seeds, pair.deterministic, strict=True)
    ]
    if pair.paired and not any(pair.deterministic):
        return f"{counted(pair.seeds[0], 'training')}, the same of both"
    if pair.seeds[0] == pair.seeds[1] and not any(pair.deterministic):
        return f"{counted(pair.seeds[0], 'training')} of each"
    return ", ".join(counts)


def _surely(own: Verdict, seeds: str) -> str:
    if own.low is None:
        return f"no 95 % interval, {seeds}"
    turned = own.conclusion == "worse"
    p = "" if own.p is None else f", p {p_of(own)}{' after Holm' if own.adjusted else ''}"
    return f"95 % interval {span(own, turned)}{p}, {seeds}"


def _collapsed(side: Side) -> str:
    return f"{side.name} has a collapsed component in {len(side.collapsed)} of {counted(side.fits, 'fit')}"


def stamps_of(sides: Sequence[Side]) -> list[str]:
    """Stamps that all sides have, then those of one system alone, with its name."""
    own = [[*side.stamps, *([f"reduced budget ({side.budget})"] if side.budget else [])] for side in sides]
    common = [stamp for stamp in own[0] if all(stamp in other for other in own)]
    alone = [f"{side.name}: {stamp}" for side, each in zip(sides, own, strict=True) for stamp in each]
    return common + [text for text in alone if text.partition(": ")[2] not in common]


def warning(compared: Compared) -> tuple[str, str]:
    """The stamps in capitals, and what they mean; empty where there are none."""
    stamps = stamps_of(compared.sides)
    if not stamps:
        return "", ""
    none = NO_RESULT & {stamp for side in compared.sides for stamp in side.stamps}
    return f"{'; '.join(stamps).upper()}.", "These numbers are no result." if none else "Mind this."


def section_name(compared: Compared, part: Part) -> str:
    """Which sections a part is of, where that must be said."""
    if not part.part or (len(compared.parts) == 1 and part.part == "dev"):
        return ""
    return f"{'Evaluation' if part.part == 'eval' else 'Development'} sections"


def notes(compared: Compared) -> list[str]:
    """What a reader must know; plain text."""
    return [*_method_notes(compared), *_side_notes(compared), *_data_notes(compared)]


def _method_notes(compared: Compared) -> Iterator[str]:
    pairs = [pair for part in compared.parts for pair in part.pairs]
    many = len(compared.sides) > 2
    yield (
        f"Percent; a difference is the first system less the second. Margin: {margin_of(compared.margin)};"
        " it and the number of trainings are to be fixed before looking."
    )
    if any(pair.methods is not None for pair in pairs):
        yield (
            "Methods: expected over trainings, on these machines and training clips, over test clips like these."
            " Intervals hold both the spread of the trainings and that of the clips."
        )
    if any(pair.machines_like_these for pair in pairs):
        yield "Machines like these: Student's t over the machines' differences."
    if any(pair.methods is None for pair in pairs):
        yield (
            "These trainings: the interval is over clips alone. Another training of the same method often lies outside"
            " of it, so it says nothing about methods."
        )
    if many:
        yield "p values and conclusions are adjusted for all pairs (Holm); intervals are not."
    else:
        yield "Machines and cells: nothing is adjusted for their number; of 20 without any difference one has p < .05."


def _side_notes(compared: Compared) -> Iterator[str]:
    for side in compared.sides:
        if side.seeds and not side.deterministic:
            seeds = f"seed{'s' * (len(side.seeds) > 1)} {', '.join(side.seeds)}"
            yield f"{side.name}: {counted(len(side.seeds), 'training')}, {seeds}"
        if side.deterministic:
            yield f"{side.name} is deterministic: every seed gives the same scores, and one fit is all there is"
        if side.budget:
            yield f"Reduced budget: {side.name} was trained for {side.budget}"
        if side.collapsed:
            yield f"Collapsed: {side.name} has a constant component in {some(side.collapsed, 8)}"
    few = [pair for part in compared.parts for pair in part.pairs if pair.methods is not None and _few(pair)]
    if few:
        yield f"Fewer than {FEW_SEEDS} trainings of a system promise little: their spread is hardly known"


def _few(pair: Comparison) -> bool:
    return any(k < FEW_SEEDS and not fixed for k, fixed in zip(pair.seeds, pair.deterministic, strict=True))


def _data_notes(compared: Compared) -> Iterator[str]:
    for part in compared.parts:
        if part.hanging:
            yield hanging(part.hanging).removesuffix(".")
        if part.fewest < FEW_CLIPS:
            yield (
                f"Few clips: there are cells of {part.fewest} clips of a class; intervals of single pAUC values are"
                " then too short"
            )
    for reason, cells in compared.left_out.items():
        yield f"Not compared: {some([str(cell) for cell in cells])}: {reason}"


def place_names(part: Part) -> tuple[str, ...]:
    """The heads of the columns that say which cell: machine, section or id, domain where the year has any."""
    unit = "Id" if part.definition.unit == "id" else "Section"
    return ("Machine", unit, "Domain") if part.definition.domains != "nothing" else ("Machine", unit)


def cells_of(pair: Comparison) -> dict[Cell, dict[Metric, Verdict]]:
    """The values by cell, as tables have them."""
    found: dict[Cell, dict[Metric, Verdict]] = {}
    for (cell, metric), own in pair.cells.items():
        found.setdefault(cell, {})[metric] = own
    return found


def margin_of(margin: float) -> str:
    """``± 1 point``, ``± 0.5 points``."""
    points = f"{100 * margin:g}"
    return f"± {points} {'point' if points == '1' else 'points'}"


def signed(value: float, digits: int = 1) -> str:
    """Points with their sign; never -0.0."""
    return f"{100 * value:+z.{digits}f}"


def plain(value: float, digits: int = 1) -> str:
    """Points; never -0.0."""
    return f"{100 * value:z.{digits}f}"


def span(own: Verdict, turned: bool = False) -> str:
    """The 95 % interval in points, or "" where there is none."""
    if own.low is None or own.high is None:
        return ""
    low, high = (-own.high, -own.low) if turned else (own.low, own.high)
    return f"{plain(low)} to {plain(high)}"


def p_of(own: Verdict) -> str:
    """A p value for people, or "" where there is none."""
    return "" if own.p is None else "<0.001" if own.p < 0.001 else f"{own.p:.3f}"


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
