"""A comparison of two systems as a sentence to quote and as Markdown tables. A point is one percent of the scale."""

from __future__ import annotations

from collections.abc import Sequence

from asdbench.judging.pairing import Comparison, Pair, Part, Side
from asdbench.metrics.aggregate import Metric
from asdbench.metrics.paired import Difference
from asdbench.reports.content.footnotes import NO_RESULT, some
from asdbench.reports.text.markdown import NOT_THERE, PARTS, clips_of, official_mean, text, unit
from asdbench.results.intervals import FEWEST, fewest_of_official

NAMES: dict[Metric, str] = {"auc": "AUC", "pauc": "pAUC"}
FEW = 50  # clips a class, below which intervals of a cell's pAUC are too short


def render(comparison: Comparison) -> str:
    """The whole comparison: stamps, conclusion, overall values, cells, notes.

    Parameters
    ----------
    comparison : Comparison

    Returns
    -------
    str
        Markdown; ends in a line break.
    """
    a, b = comparison.a, comparison.b
    blocks = [f"# {text(a.name)} and {text(b.name)} on {text(_dataset(comparison))}"]
    loud, meaning = warning(comparison)
    if loud:
        blocks.append(f"> **{text(loud)}** {meaning}")
    for part in comparison.parts:
        if sections(comparison, part):
            blocks.append(f"## {sections(comparison, part)}")
        blocks += [f"**{text(conclusion(comparison, part))}**", _overall(comparison, part), _cells(comparison, part)]
    blocks.append("\n".join(f"- {note}" for note in notes(comparison)))
    return "\n\n".join(blocks) + "\n"


def warning(comparison: Comparison) -> tuple[str, str]:
    """The stamps in capitals, and what they mean; empty where there are none."""
    stamps = _stamps(comparison)
    if not stamps:
        return "", ""
    none = NO_RESULT & {*comparison.a.stamps, *comparison.b.stamps}
    return f"{'; '.join(stamps).upper()}.", "These numbers are no result." if none else "Mind this."


def sections(comparison: Comparison, part: Part) -> str:
    """Which sections a part is of, where that must be said."""
    if len(comparison.parts) == 1 and part.part == "dev":
        return ""
    return f"{'Evaluation' if part.part == 'eval' else 'Development'} sections"


def conclusion(comparison: Comparison, part: Part) -> str:
    """One sentence on the official score that a reader can quote.

    Names what the numbers rest on (data, stamps, seeds), the difference with its interval, the cells won, whether the
    seeds agree, and collapsed models. Where the interval holds 0 it says that no difference can be told;
    where the mean AUC tells otherwise than the official score, it says that, too.

    Parameters
    ----------
    comparison : Comparison
    part : Part
        One of the comparison's.
    """
    a, b, official = comparison.a, comparison.b, part.official
    difference, (won, lost, tied) = official.difference, part.balance
    turned = lean(difference) < 0
    first, second = (b, a) if turned else (a, b)
    if turned:
        won, lost = lost, won
    seeds = f"seed{'s' * (len(comparison.seeds) > 1)} {', '.join(map(str, comparison.seeds))}"
    stamps = ", ".join(_stamps(comparison))
    where = f"On {_dataset(comparison)}{PARTS[part.part]} ({f'{stamps}; ' if stamps else ''}{seeds})"
    cells = f"winning {won} of {len(part.cells)} AUC cells" + (f", {tied} tied" if tied else "")
    if lean(difference):
        claim = f"{first.name} scores {100 * abs(difference.estimate):.1f} points higher than {second.name}"
        claim += f" in the official score ({_surely(difference)}), {cells}"
    else:
        claim = f"no difference can be told between {a.name} and {b.name}: {_signed(difference)} points"
        claim += f" of official score ({_surely(difference)}), {first.name} {cells}"
    said = [f"{where}, {claim}"]
    if official.spread is not None:
        agreeing = f"{official.agreeing} of {len(official.per_seed)} seeds"
        spread = f"standard deviation {100 * official.spread:.1f} points over seeds"
        said.append(f"the official score differs in that direction in {agreeing} ({spread})")
    area = part.means["", "auc"].difference
    if lean(area) != lean(difference) or difference.interval is None:
        said.append(f"by the mean AUC {by_area(area, (a.name, b.name))}")
    said += [_collapsed(side, len(comparison.seeds) > 1) for side in (a, b) if side.collapsed]
    these = "these trainings" if len(comparison.seeds) > 1 else "this training"
    if difference.interval is not None or area.interval is not None:
        said.append(f"the interval speaks of the clips, for {these}, not of other trainings")
    return "; ".join(said) + "."


def lean(difference: Difference) -> int:
    """1 where the first system is higher, -1 where the second is, 0 where no difference can be told.

    Without an interval the estimate alone says which is higher; how sure that is nobody can say then.
    """
    if difference.interval is not None:
        return difference.sign
    return int(difference.estimate > 0) - int(difference.estimate < 0)


def by_area(area: Difference, names: tuple[str, str]) -> str:
    """Which of two systems has the higher mean AUC, by how much, how surely."""
    if not lean(area):
        return f"no difference can be told: {names[0]} minus {names[1]} {_signed(area)} points ({_surely(area)})"
    higher = names[0] if lean(area) > 0 else names[1]
    return f"{higher} is {100 * abs(area.estimate):.1f} points higher ({_surely(area)})"


def _surely(difference: Difference) -> str:
    """The interval in words, from the side of the higher system."""
    if difference.interval is None:
        return "no 95 % interval can be given"
    return f"95 % interval {_interval(difference, lean(difference) or 1)}"


def _collapsed(side: Side, several: bool) -> str:
    whole = f"{side.trainings} trainings" if several else f"{side.trainings} machine{'s' * (side.trainings != 1)}"
    return f"{side.name} has a collapsed component in {len(side.collapsed)} of {whole}"


def _dataset(comparison: Comparison) -> str:
    return " and ".join(dict.fromkeys((comparison.a.dataset, comparison.b.dataset)))


def _stamps(comparison: Comparison) -> list[str]:
    """Stamps of both, then those of one system alone, with its name."""
    a, b = comparison.a, comparison.b
    first, second = ([*side.stamps, *([f"reduced budget ({side.budget})"] if side.budget else [])] for side in (a, b))
    common = [stamp for stamp in first if stamp in second]
    alone = [f"{a.name}: {stamp}" for stamp in first if stamp not in common]
    alone += [f"{b.name}: {stamp}" for stamp in second if stamp not in common]
    return common + alone


def _overall(comparison: Comparison, part: Part) -> str:
    head = ["Overall", text(comparison.a.name), text(comparison.b.name), *heads(comparison)]
    return _table(head, [[text(name), *row(pair)] for name, pair in overall(part)], 1)


def overall(part: Part) -> list[tuple[str, Pair]]:
    """The official score and the means, each with its name."""
    means = [
        (f"Mean {NAMES[metric]}{f', {domain}' if domain else ''}", p) for (domain, metric), p in part.means.items()
    ]
    return [("Official score", part.official), *means]


def place(part: Part) -> list[str]:
    """The heads of what tells a cell from the others."""
    return ["Machine", unit(part.definition), *(["Domain"] if part.definition.domains != "nothing" else [])]


def _cells(comparison: Comparison, part: Part) -> str:
    names = place(part)
    head = [*names]
    for metric in NAMES.values():
        head += [f"{metric} {text(side.name)}" for side in (comparison.a, comparison.b)] + heads(comparison)
    rows = []
    for one in part.cells:
        cell = one.cell
        where = [text(cell.machine), text(cell.section), text(cell.domain)][: len(names)]
        rows.append([*where, *row(one.auc), *row(one.pauc)])
    return _table(head, rows, len(names))


def heads(comparison: Comparison) -> list[str]:
    """The heads of a row's numbers after the two systems' values."""
    return ["difference", "95 % interval", "p", *(["sd over seeds"] if len(comparison.seeds) > 1 else [])]


def row(pair: Pair) -> list[str]:
    """Both values and what stands under :func:`heads`."""
    difference = pair.difference
    shown = [
        f"{100 * pair.a:.2f}",
        f"{100 * pair.b:.2f}",
        _signed(difference, 2),
        _interval(difference),
        _p(difference.p),
    ]
    return shown if pair.spread is None else [*shown, f"{100 * pair.spread:.2f}"]


def _interval(difference: Difference, turn: int = 1) -> str:
    if difference.interval is None:
        return NOT_THERE
    low, high = sorted(100 * turn * bound for bound in (difference.interval.low, difference.interval.high))
    return f"{_plain(low, 1)} to {_plain(high, 1)}"


def _signed(difference: Difference, digits: int = 1) -> str:
    return _plain(100 * difference.estimate, digits, "+")


def _plain(points: float, digits: int, sign: str = "") -> str:
    return f"{points:{sign}z.{digits}f}"  # z: no -0.0


def _p(p: float | None) -> str:
    return NOT_THERE if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], names: int) -> str:
    from tabulate import tabulate

    aligned = ["left"] * names + ["right"] * (len(head) - names)
    return tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=aligned)


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know, as Markdown."""
    a, b = comparison.a, comparison.b
    found = [
        f"Percent; difference: {text(a.name)} minus {text(b.name)}. AUC of a cell: DeLong; all else: paired bootstrap"
        " over clips, within class. p is of one row alone: of rows without any difference, one in 20 falls below 0.05."
    ]
    definition = comparison.parts[0].definition
    found[0] += f" Official score: the {official_mean(definition)}.{clips_of(definition)}"
    if len(comparison.seeds) > 1:
        found.append(
            f"Means over seeds {', '.join(map(str, comparison.seeds))}. Intervals and p speak of the clips, for these"
            " trainings; sd over seeds is how the difference varies from seed to seed, and is in no interval."
        )
        for part in comparison.parts:
            own = zip(comparison.seeds, part.official.per_seed, strict=True)
            seeds = ", ".join(f"{seed}: {_plain(100 * one, 2, '+')}" for seed, one in own)
            found.append(f"Official score{PARTS[part.part]}, difference of each seed: {seeds}.")
    for side in (a, b):
        if side.budget:
            found.append(f"**Reduced budget**: {text(side.name)} was trained for {side.budget}.")
        if side.collapsed:
            where = some([text(name) for name in side.collapsed], 8)
            found.append(f"**Collapsed model**: {text(side.name)} has a component that is constant: {where}.")
        if side.only_seeds:
            found.append(f"Not compared: seeds of {text(side.name)} alone: {', '.join(map(str, side.only_seeds))}.")
    fewest = min(one.clips for part in comparison.parts for one in part.cells)
    if fewest < FEW:
        found.append(
            f"**Few clips**: there are cells of {fewest} clips a class. Simulated, a 95 % interval of a cell's pAUC"
            " difference holds the truth in 77 to 87 of 100 cases at 10 clips a class, 89 to 92 at 30, 93 at 100;"
            " its p is as much too small. (DeLong for AUC: 92 to 96 of 100.)"
        )
    if any(pair.difference.interval is None for part in comparison.parts for _, pair in overall(part)):
        found.append(
            f"{NOT_THERE}: means of pAUC have no interval and p below {FEWEST['pauc']} clips of a class in a cell, of"
            f" AUC below {FEWEST['auc']}, the official score below {fewest_of_official(definition)}; nor has what is"
            " the same whatever the clips, or falls to 0."
        )
    for part in comparison.parts:
        if part.falling:
            cells_of = text(some([str(cell) for cell in part.falling]))
            meaning = "that often that it has neither interval nor p" if part.falls else "its interval is wide for it"
            found.append(
                f"Official score{PARTS[part.part]}: the AUC of {cells_of} is 0 in some resamples, and the harmonic mean"
                f" of all cells with it: {meaning}. The arithmetic means are not so."
            )
    for reason, cells in comparison.left_out.items():
        found.append(f"{NOT_THERE} not compared: {text(some([str(cell) for cell in cells]))}: {text(reason)}")
    return found
