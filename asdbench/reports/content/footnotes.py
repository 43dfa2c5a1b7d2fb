"""What a reader of a table must know: budget, training clips, features, what is missing, what was published."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from asdbench.metrics.challenge import DEFINITIONS
from asdbench.published import Table
from asdbench.results.manifest import reduced, undecided
from asdbench.results.scoring import ScoredFile, scored_files, unlabelled_beside
from asdbench.results.seed_folder import SeedFolder
from asdbench.results.selection import STAMP
from asdbench.words import counted

NO_RESULT = frozenset({"synthetic data", "untrained network"})
"""Stamps of numbers that say nothing about real machines, or about the published method."""
REDUCED = "reduced budget"
Entries = Sequence[tuple[int, str, Mapping[str, Any]]]
"""(seed, machine, the manifest's entry of the machine)."""


def deviations(manifest: Mapping[str, Any]) -> list[str]:
    """What a run did otherwise than the method it is named after, as far as its manifest tells."""
    key, found = next(iter(manifest["machines"].values()))["key"], list[str]()
    if "synthetic data" in manifest["stamps"]:
        found.append("Synthetic sound, none of DCASE's.")
    budget = reduced(manifest)
    if budget:
        profile = " of the `quick` profile for toy data" if manifest["dataset"]["profile"] == "quick" else ""
        found.append(f"**Reduced budget**{profile}: {budget}.")
    made = features(manifest, key["embedding"])
    if not made.as_published:
        found.append(f"Features: {made.said}.")
    _, bracket, given = manifest["system"]["spec"].partition("[")
    if bracket:
        found.append(f"Parameters given: `{given.removesuffix(']')}`.")
    if STAMP in manifest["stamps"]:
        found.append("Epoch chosen on the test labels.")
    return found


def settings(
    folders: Sequence[SeedFolder],
    manifests: Sequence[Mapping[str, Any]],
    part: str,
    sections: Iterable[str],
    scores: Sequence[float],
) -> list[str]:
    """How a table's numbers were made.

    Parameters
    ----------
    part : {"dev", "eval"}
    sections : iterable of str
        Of the table: fits of other sections are not spoken of.
    scores : sequence of float
        Official score of each seed, percent.
    """
    first, wanted = manifests[0], set(sections)
    own = {*wanted, ""}  # of training clips that do not state their section
    fits = [fit for _, _, entry in _entries(manifests) for fit in entry["fits"].values()]
    fits = [fit for fit in fits if own & set(fit.get("sections", ()))]
    key = next(iter(first["machines"].values()))["key"]
    notes = [_seeds([folder.seed for folder in folders], scores), _budget(key["parameters"], fits)]
    if fits:
        used = sorted({section for fit in fits for section in fit["sections"]} - {""})
        clips = _range({fit["train_clips"] for fit in fits})
        unit = DEFINITIONS[folders[0].year].unit
        of = [f"of {unit}{'s' * (len(used) > 1)} {', '.join(used)}"] if used else []
        of += [f"some of no stated {unit}"] if any("" in fit["sections"] for fit in fits) else []
        notes.append(f"Normal clips a fit: {', '.join([clips, *of])}.")
    normal, anomalous = scored_clips(file for folder in folders for file in scored_files(folder) if file.part == part)
    others = max(unlabelled_beside(file for file in scored_files(folder) if file.part == part) for folder in folders)
    left_out = f"; {counted(others, 'other')} of unknown label, in no metric" if others else ""
    notes.append(f"Test clips scored: {normal} normal, {anomalous} anomalous{left_out}.")
    made = features(first, key["embedding"])
    if made.as_published:
        notes.append(f"Features: {made.said}.")
    threads = f"{counted(key['threads'], 'thread')} a job"
    notes.append(f"Data `{first['dataset']['spec']}`, system `{first['system']['spec']}`.")
    notes.append(f"Made with asdbench {key['asdbench']}, {threads}, on {key['device']}.")
    return [note for note in notes if note]


def scored_clips(files: Iterable[ScoredFile]) -> tuple[int, int]:
    """How many clips have been scored in any of some files: normal, anomalous."""
    labels = {
        (group.file.machine, clip): int(label)
        for group in (file.group for file in files)
        if group is not None
        for clip, label in zip(group.clips, group.labels, strict=True)
    }
    values = list(labels.values())
    return values.count(0), values.count(1)


def _entries(manifests: Sequence[Mapping[str, Any]]) -> Entries:
    return [(m["seed"], machine, entry) for m in manifests for machine, entry in m["machines"].items()]


def _seeds(seeds: Sequence[int], scores: Sequence[float]) -> str:
    if len(seeds) == 1:
        return f"Seed {seeds[0]}."
    text = f"Mean over {len(seeds)} seeds: {', '.join(map(str, seeds))}."
    if len(scores) == len(seeds):
        spread = f"mean {statistics.fmean(scores):.2f}, standard deviation {statistics.stdev(scores):.2f} over seeds"
        text += f" Official score of each: {', '.join(f'{score:.2f}' for score in scores)} ({spread})."
    return text


def _budget(parameters: Mapping[str, Any], fits: Sequence[Mapping[str, Any]]) -> str:
    """Epochs, batch, steps."""
    if parameters.get("weights") is not None:
        return f"Weights given, sha256 {parameters['weights']['sha256'][:12]}…: nothing was trained."
    epochs = parameters.get("epochs")
    if epochs is None:
        return ""
    steps = _range({fit["steps"] for fit in fits}) if fits else "no"
    text = f"Budget: {counted(epochs, 'epoch')}, batch {parameters.get('batch_size', '?')}"
    return f"{text} ({steps} optimizer steps a fit)."


def stamps_of(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """What must be said loudly of a run's numbers wherever they stand: its own stamps, and a reduced budget."""
    budget = reduced(manifest)
    return (*manifest["stamps"], *([f"{REDUCED}: {budget}"] if budget else []))


class Letters:
    """Letters for what a reader must mind, which then stands below a table once: ``name (a,c)``.

    Parameters
    ----------
    minds : iterable of str
        Each once or more, in the order of the letters.
    """

    def __init__(self, minds: Iterable[str]) -> None:
        self.of = {mind: _letter(number) for number, mind in enumerate(dict.fromkeys(minds))}

    def __call__(self, minds: Iterable[str]) -> str:
        """The letters of some, in brackets behind a space; "" for none."""
        said = ",".join(sorted(self.of[mind] for mind in minds))
        return f" ({said})" if said else ""

    def key(self) -> list[str]:
        """What each letter means, loudly."""
        return [f"({letter}) {loud(mind)}" for mind, letter in self.of.items()]


def _letter(number: int) -> str:
    return chr(ord("a") + number) if number < 26 else str(number)


def loud(stamp: str) -> str:
    """Capitals, but for the names and numbers after a colon."""
    title, colon, rest = stamp.partition(":")
    return title.upper() + colon + rest


def failings(manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """Collapsed models, and models without a threshold."""
    entries, several = _entries(manifests), len(manifests) > 1

    def where(seed: int, machine: str) -> str:
        return f"{machine} (seed {seed})" if several else machine

    notes = []
    constant = [f"{where(seed, machine)}: {', '.join(e['constant'])}" for seed, machine, e in entries if e["constant"]]
    if constant:
        notes.append(f"‡ **Collapsed model**: components constant over each section's clips: {some(constant)}.")
    missing = [
        f"{where(seed, name)}: {reason}"
        for seed, machine, entry in entries
        for name, reason in undecided(machine, entry).items()
    ]
    if missing:
        notes.append(f"No decisions: {some(missing)}.")
    return notes


def published_notes(table: Table, complete: bool) -> list[str]:
    """Source of a published table, its known errors, and its printed means where all its rows are shown."""
    notes = [f"Published: {table.title} ({table.source}). Its means here are over the same cells as ours. {table.note}"]
    if complete and table.printed_means:
        printed = ", ".join(
            f"{metric.replace('auc', 'AUC')} {domain} {value:.2f}"
            for (domain, metric), value in table.printed_means.items()
        )
        notes.append(f"Its printed MEAN row: {printed}.")
    return notes


class Features(NamedTuple):
    """What an embedding is said to be; ``as_published``: nothing is known by which it would be another one."""

    said: str
    as_published: bool


def features(manifest: Mapping[str, Any], recipe: Mapping[str, Any]) -> Features:
    """Which embedding, with which weights; of given features, what their folder says of them."""
    name, weights = manifest["system"]["embedding"].partition("[weights=")[0], recipe.get("weights")
    if not name:
        inner = recipe.get("recipe")
        made = inner.get("name") if isinstance(inner, Mapping) else None
        name = f"given (`features.npy`), {f'made by {made}' if made else 'how is not stated'}"
        weights = inner.get("weights", weights) if isinstance(inner, Mapping) else weights
    if weights == "random":
        return Features(f"{name}: random weights, an untrained network", False)
    if isinstance(weights, Mapping):
        published = bool(weights.get("published"))
        which = "the published checkpoint" if published else "not the published checkpoint"
        return Features(f"{name}: {which}, sha256 {str(weights.get('sha256'))[:12]}…", published)
    return Features(str(name), True)


def some(names: Sequence[str], most: int = 4) -> str:
    """The first few of several names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _range(values: set[int]) -> str:
    return f"{min(values)}" if len(values) == 1 else f"{min(values)} to {max(values)}"
