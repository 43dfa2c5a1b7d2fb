"""What is asked for: systems with budget, weights and features resolved, and the cells to score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdbench.api import DOMAINS, Cell, Clip, Dataset, Embedding, GivenFeatures, System
from asdbench.datasets import CONFIGURATION, configured
from asdbench.errors import DataError, UsageError
from asdbench.metrics.challenge import DEFINITIONS
from asdbench.plugins import registry
from asdbench.plugins.sources import Sources
from asdbench.plugins.spec import Spec, canonical, parse, split
from asdbench.plugins.systems import create_system
from asdbench.progress import Progress
from asdbench.running.identity import code_of_system, recipe_of
from asdbench.words import counted


@dataclass(frozen=True)
class Asked:
    """A system as asked for.

    Parameters
    ----------
    name : str
        As in ``--systems``, in its canonical form.
    spec : Spec
        With the budget written out: what a worker makes the system from.
    system : System
    origin : str
        Package and version, or file, that it comes from.
    code : Sources
        What training it and scoring with it run.
    features : Embedding or GivenFeatures
    recipe : mapping
        What the features depend on: of an embedding with its code, of given ones what their folder says.
    embedding : str
        The embedding's spec; empty for given features.
    full_epochs : int or None
        The epochs of its full budget, for tables to say where a run had fewer.
    """

    name: str
    spec: Spec
    system: System[Any]
    origin: str
    code: Sources
    features: Embedding | GivenFeatures
    recipe: Mapping[str, Any]
    embedding: str
    full_epochs: int | None


def ask(
    data: Dataset, systems: str | None, epochs: int | None, weights: str | None
) -> tuple[list[Asked], list[tuple[str, str]]]:
    """Resolve ``--systems``, ``--epochs`` and ``--weights`` for a data set.

    Returns
    -------
    asked : list of Asked
    not_applicable : list of (system, reason)
        Systems that cannot work on this kind of features.

    Raises
    ------
    UsageError
        For unknown names and parameters.
    WeightsError
        Where an embedding needs weights that are not given or not there.
    """
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs {epochs}", hint="give at least 1")
    names = list(registry.entries("systems")) if systems is None else split(systems)
    if not names:
        raise UsageError("--systems names no system", hint="see `asdbench systems`")
    if weights is None and data.profile == "quick":
        weights = "random"
    asked: list[Asked] = []
    not_applicable: list[tuple[str, str]] = []
    for name in dict.fromkeys(map(canonical, names)):
        spec, system = resolve(name, data.profile, epochs)
        if data.features is None:
            wanted = with_weights(system.model.embedding, weights)
            features: Embedding = registry.create("embeddings", wanted)
            asked.append(_asked(name, spec, system, features, str(wanted), recipe_of(wanted, features)))
        else:
            kind = registry.create("embeddings", with_weights(system.model.embedding, "random")).kind
            if kind == data.features.kind:
                asked.append(_asked(name, spec, system, data.features, "", data.features.recipe))
            else:
                not_applicable.append(
                    (name, f"it needs {kind} of {system.model.embedding}; {data.spec} holds one vector a clip")
                )
    return asked, not_applicable


def resolve(text: str, profile: str, epochs: int | None) -> tuple[Spec, System[Any]]:
    """A system and its spec with the budget written out: its own, then ``--epochs``, then the quick profile's."""
    spec = parse(text)
    if spec.argument is not None:
        raise UsageError(f"{text!r}: a system takes no argument after ':'", hint="write name[param=value,...]")
    system = create_system(spec)
    budget = dict(system.quick) if profile == "quick" else {}
    if epochs is not None and "epochs" in registry.parameters(registry.factory("systems", spec.name)):
        budget["epochs"] = epochs
    given = dict(spec.parameters)
    budget = {name: value for name, value in budget.items() if name not in given}
    if budget:
        spec = spec.with_parameters(**budget)
        system = create_system(spec)
    return spec, system


def chosen_weights(data: Dataset, weights: str | None, progress: Progress) -> str | None:
    """The weights that were given, else those of ``asdbench.toml``: where these are used, one line says so."""
    if weights or data.features is not None:
        return weights
    found = configured("weights")
    if found:
        progress.say(f"weights: {found} (no --weights; set in {CONFIGURATION})")
    return found


def with_weights(embedding: str, weights: str | None) -> Spec:
    """An embedding's spec with the weights put in, where it takes any and names none itself.

    Raises
    ------
    UsageError
        For a path that would not come back from the text of the spec, which is what workers get.
    """
    spec = parse(embedding)
    takes = "weights" in registry.parameters(registry.factory("embeddings", spec.name))
    free = takes and "weights" not in dict(spec.parameters)
    if not free or weights is None:
        return spec
    weights = str(Path(weights).expanduser()) if weights.startswith("~") else weights  # as in a shell
    if any(character in weights for character in ",[]") or weights != weights.strip():
        raise UsageError(
            f"weights {weights!r} cannot stand in a spec",
            looked="the path holds a comma, a bracket or a space at its end",
            hint="rename the file, or give a link to it",
        )
    return spec.with_parameters(weights=weights)


def _asked(
    name: str,
    spec: Spec,
    system: System[Any],
    features: Embedding | GivenFeatures,
    embedding: str,
    recipe: Mapping[str, Any],
) -> Asked:
    code = code_of_system(spec, system)
    return Asked(name, spec, system, _origin(spec), code, features, recipe, embedding, _full_epochs(spec))


def _origin(spec: Spec) -> str:
    known = registry.entries("systems").get(spec.name)
    if known:
        return known.origin
    return Path(spec.name.rpartition(":")[0]).name


def _full_epochs(spec: Spec) -> int | None:
    declared = registry.parameters(registry.factory("systems", spec.name)).get("epochs")
    return declared.default if declared is not None and isinstance(declared.default, int) else None


def choose_cells(data: Dataset, machines: Sequence[str], sections: Sequence[str], domains: Sequence[str]) -> list[Cell]:
    """The cells with test clips among the named machines, sections and domains (nothing named: all).

    Raises
    ------
    UsageError
        For a machine, section or domain that the data set does not have.
    DataError
        Where no cell is left.
    """
    tests = [clip for clip in data.clips if clip.split == "test"]
    _check_names(data, tests)
    chosen: list[set[str]] = []
    for what, names, found in (
        ("machine", list(machines), {clip.machine for clip in data.clips}),
        ("section", list(sections), {clip.section for clip in data.clips}),
        ("domain", list(domains), {clip.domain for clip in data.clips}),
    ):
        known = sorted(found - {""})
        if names and not known:
            raise UsageError(
                f"the clips of this data set have no {what}s",
                looked=f"--{what}s {','.join(names)}, {data.spec}",
                hint=f"leave --{what}s out",
            )
        for name in names:
            if name not in known:
                raise registry.unknown(what, name, known)
        chosen.append(set(names) or found)
    there = sorted({clip.cell for clip in tests})
    cells = [c for c in there if c.machine in chosen[0] and c.section in chosen[1] and c.domain in chosen[2]]
    if not cells:
        raise DataError(
            "there are no test clips to score",
            looked=f"{data.spec}: {counted(len(data.clips), 'clip')}, {counted(len(there), 'cell')} with test clips",
            hint="widen --machines, --sections and --domains, or add test clips",
        )
    have = {name for cell in cells for name in (cell.machine, cell.section, cell.domain)}
    for name in (*machines, *sections, *domains):
        if name not in have:
            raise DataError(f"{name} has no test clips to score", looked=data.spec, hint="leave it out")
    return cells


def _check_names(data: Dataset, tests: Sequence[Clip]) -> None:
    """Test clips must have a score file by the names of the data set's year.

    Raises
    ------
    DataError
        For a clip without a section, a domain where that year has none, none where it has, or a name that would be read
        back as another's.
    """
    definition = DEFINITIONS[data.year]
    mark = f"_{definition.unit}_"
    for name in sorted({name for clip in data.clips for name in (clip.machine, clip.section)}):
        if mark in name:
            raise DataError(
                f"{name!r} cannot be the name of a machine or {definition.unit}",
                looked=f"{data.spec}: the challenge's file names are <machine>{mark}<{definition.unit}>",
                hint="rename it",
            )
    allowed = {"nothing": ("",), "files": DOMAINS, "clips": (*DOMAINS, "")}[definition.domains]
    for clip in tests:
        if not clip.section or clip.domain not in allowed:
            raise DataError(
                f"a test clip has {f'the domain {clip.domain!r}' if clip.section else f'no {definition.unit}'}",
                looked=f"{data.spec}: {clip.machine}/{clip.name}; in {data.year} a test clip's domain is"
                f" {' or '.join(map(repr, allowed))}",
                hint="mend the index of this data set, or its year",
            )
