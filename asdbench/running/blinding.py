"""Takes names and labels off a unit's clips before a model sees them, and puts them back on what it gives.

A worker gets feature keys and codes only. Test rows come in a seeded random order: in name order the development set's
rows give the labels away. Only this module knows which row is which clip, and it stays with the harness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from asdbench.api import DOMAINS, Cell, Clip
from asdbench.results.components import Components, Row, join
from asdbench.results.latent import Picture
from asdbench.running.fitting import Answer, FeatureKey, Rows, Task, Unusable, Values
from asdbench.running.planning import Fit, Unit, presentation_order

Name: TypeAlias = tuple[str, str]
"""Machine and clip name."""


@dataclass
class Outcome:
    """What the fits of a unit gave, by clip.

    Parameters
    ----------
    components : Components
        Of training and test clips.
    failed : mapping of Cell to str
        Cells without components, with the reason; the next run tries them again.
    impossible : mapping of Cell to str
        Cells that this data cannot give (no training clips), with the reason; trying again is no use.
    history, fits : list, dict
        Loss terms per epoch; clips, sections and seconds per fit.
    epochs : mapping of epoch to Components
        After each epoch, where that was asked for.
    pseudo : mapping of epoch to Components
        Of pseudo-anomalies, rows of split "pseudo" under the name of the training clip that each is made from.
    latent : Components
        Coordinates x and y on the two axes of each fit's latent space; class centres are rows of split "centre".
    trace : str
        Tracebacks of what went wrong in code.
    """

    components: Components
    failed: dict[Cell, str] = field(default_factory=dict)
    impossible: dict[Cell, str] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    fits: dict[str, Any] = field(default_factory=dict)
    epochs: dict[int, Components] = field(default_factory=dict)
    pseudo: dict[int, Components] = field(default_factory=dict)
    latent: Components = field(default_factory=lambda: Components([], {}))
    trace: str = ""


@dataclass(frozen=True)
class _Known:
    """Which clips the rows of a task are: test clips by name, and the order they are shown in; section codes."""

    fit: Fit
    test: Sequence[Clip]
    order: Sequence[int]
    classes: Sequence[tuple[str, str]]


class Blinded:
    """A unit without names and labels, and the way back.

    Parameters
    ----------
    unit : Unit
    seed : int
        The run's.
    keys : mapping of (machine, clip name) to FeatureKey
    unusable : mapping of (machine, clip name) to Unusable
        Clips that cannot be used, with the reason.

    Attributes
    ----------
    tasks : list of Task
        One for each fit that has something to score.
    """

    def __init__(
        self, unit: Unit, seed: int, keys: Mapping[Name, FeatureKey], unusable: Mapping[Name, Unusable]
    ) -> None:
        self.tasks: list[Task] = []
        self._known: list[_Known] = []
        self._impossible: dict[Cell, str] = {}
        self._failed: dict[Cell, str] = {}
        self._fits: dict[str, Any] = {}
        for fit in unit.fits:
            test = self._scorable(fit, unusable)
            if not test:
                continue
            classes = sorted({(clip.machine, clip.section) for clip in fit.train if clip.section})
            order = presentation_order(seed, fit.label, len(test)).tolist()
            shown = [test[position] for position in order]
            machines = sorted({clip.machine for clip in fit.train})
            train_rows, test_rows = (rows_of(clips, machines, classes, keys) for clips in (fit.train, shown))
            self.tasks.append(Task(fit.label, train_rows, test_rows, len(classes)))
            self._known.append(_Known(fit, test, order, classes))

    def opened(self, answers: Sequence[Answer]) -> Outcome:
        """The answers to ``tasks``, by clip again."""
        outcome = Outcome(Components([], {}), dict(self._failed), dict(self._impossible), fits=dict(self._fits))
        parts: list[Components] = []
        epochs: dict[int, list[Components]] = {}
        pseudo: dict[int, list[Components]] = {}
        pictures: list[Components] = []
        for known, answer in zip(self._known, answers, strict=True):
            fit = known.fit
            about: dict[str, Any] = {"train_clips": len(fit.train)}
            if answer.values is None:
                cells = {clip.cell for clip in fit.test} - set(outcome.impossible) - set(outcome.failed)
                outcome.failed.update(dict.fromkeys(sorted(cells), answer.failed))
                about["failed"] = answer.failed
            else:
                parts += _named(known, answer.values)
                for epoch, values in answer.epochs.items():
                    epochs.setdefault(epoch, []).extend(_named(known, values))
                made_from = _identity("pseudo", [fit.train[row] for row in answer.pseudo_rows], fit)
                for epoch, made in answer.pseudo.items():
                    pseudo.setdefault(epoch, []).append(Components(made_from, made))
                outcome.history += [{"fit": fit.label, **terms} for terms in answer.history]
                about |= {
                    "steps": answer.steps,
                    "sections": sorted({clip.section for clip in fit.train}),
                    "seconds": answer.seconds,
                }
                if answer.parameters is not None:
                    about["parameters"] = answer.parameters
                if isinstance(answer.latent, Picture):
                    pictures.append(_pictured(known, answer.latent))
                elif answer.latent is not None:
                    about["no_latent"] = answer.latent
            outcome.fits[fit.label] = about
            outcome.trace += answer.trace
        outcome.components = join(parts)
        outcome.latent = join(pictures)
        outcome.epochs = {epoch: join(some) for epoch, some in epochs.items()}
        outcome.pseudo = {epoch: join(some) for epoch, some in pseudo.items()}
        return outcome

    def _scorable(self, fit: Fit, unusable: Mapping[Name, Unusable]) -> list[Clip]:
        """The test clips that can be scored; of the others the reason is noted.

        A clip that cannot be used makes its cell impossible, not failed: the same bytes will not read better next
        time, and other bytes are other data. One that could not be read now is tried again by the next run.
        """
        bad = [unusable[clip.machine, clip.name] for clip in fit.train if (clip.machine, clip.name) in unusable]
        if bad:
            passing = [one for one in bad if not one.lasting]
            worst = (passing or bad)[0]
            reason = f"{len(bad)} of {len(fit.train)} training clips cannot be used: {worst.reason}"
            (self._failed if passing else self._impossible).update({clip.cell: reason for clip in fit.test})
            self._fits[fit.label] = {"train_clips": len(fit.train), "failed": reason}
            return []
        trained = {(clip.machine, clip.section) for clip in fit.train}
        good = []
        for clip in fit.test:
            known = unusable.get((clip.machine, clip.name))
            # Training clips that state no section may be of any: whether that will do is for the model to say.
            if not {(clip.machine, clip.section), (clip.machine, "")} & trained:
                self._impossible[clip.cell] = f"section {clip.section} has no training clips"
            elif known:
                (self._impossible if known.lasting else self._failed)[clip.cell] = known.reason
            else:
                good.append(clip)
        return good


def rows_of(
    clips: Sequence[Clip],
    machines: Sequence[str],
    classes: Sequence[tuple[str, str]],
    keys: Mapping[Name, FeatureKey],
) -> Rows:
    """Clips as keys and codes: a machine, or (machine, section), is its place in the list; -1 where it is not there."""
    section = {pair: code for code, pair in enumerate(classes)}
    machine = {name: code for code, name in enumerate(machines)}
    return Rows(
        [keys[clip.machine, clip.name] for clip in clips],
        np.array([machine.get(clip.machine, -1) for clip in clips], dtype=np.int64),
        np.array([section.get((clip.machine, clip.section), -1) for clip in clips], dtype=np.int64),
        np.array([DOMAINS.index(clip.domain) if clip.domain in DOMAINS else -1 for clip in clips], dtype=np.int64),
    )


def _named(known: _Known, values: tuple[Values, Values]) -> list[Components]:
    back = np.argsort(known.order)
    train, test = values
    return [
        Components(_identity("train", known.fit.train, known.fit), train),
        Components(_identity("test", known.test, known.fit), {name: column[back] for name, column in test.items()}),
    ]


def _identity(split: str, clips: Sequence[Clip], fit: Fit) -> list[Row]:
    return [Row(split, clip.machine, clip.section, clip.domain, clip.name, fit.label) for clip in clips]


def _pictured(known: _Known, found: Picture) -> Components:
    """The coordinates by clip, and of the centres by section (and domain); points that are not finite are left out."""
    back = np.argsort(known.order)
    centres = _centres(known, len(found.centres))
    rows = [*_identity("train", known.fit.train, known.fit), *_identity("test", known.test, known.fit), *centres]
    points = np.concatenate([found.train, found.test[back], found.centres[: len(centres)]])
    keep = np.flatnonzero(np.isfinite(points).all(axis=1))
    return Components([rows[row] for row in keep], {"x": points[keep, 0], "y": points[keep, 1]})


def _centres(known: _Known, count: int) -> list[Row]:
    """What centres are of: one a section, or two, source before target; of any other number nobody knows."""
    classes = known.classes
    domains = {len(classes): ("",), len(DOMAINS) * len(classes): DOMAINS}.get(count, ())
    return [
        Row("centre", machine, section, domain, "", known.fit.label)
        for machine, section in classes
        for domain in domains
    ]
