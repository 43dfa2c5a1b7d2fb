"""Extracts features of a data set's clips into the cache, or into a folder that ``features:DIR`` reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asdbench.api import Clip, Dataset, Embedding, Kind
from asdbench.datasets import digests_of, fingerprint
from asdbench.datasets.features import write
from asdbench.embeddings.cache import FeatureCache, recipe_on
from asdbench.errors import ClipError, ConflictError, DataError, UsageError
from asdbench.plugins import registry
from asdbench.plugins.spec import parse
from asdbench.progress import Progress
from asdbench.running.execution import Lost, each
from asdbench.running.fitting import CachedFeatures, FeatureFile, FeatureKey, FeatureSource, Unusable
from asdbench.running.identity import recipe_of
from asdbench.running.jobs import embed_chunk
from asdbench.upkeep.cache import FEATURES

CHUNK = 8  # clips a worker embeds between two signs of life
Bad = dict[str, dict[tuple[str, str], Unusable]]
"""Embedding's spec -> (machine, clip) -> why the clip cannot be used."""


@dataclass(frozen=True)
class Request:
    """Clips whose features are wanted: the embedding's spec and recipe."""

    embedding: str
    recipe: Mapping[str, Any]
    clips: Sequence[Clip]


def extract(
    data: Dataset, requests: Iterable[Request], root: Path, executor: Executor, progress: Progress, device: str
) -> Bad:
    """Embed the clips that the cache below ``root`` lacks, equal ones once.

    Clips that cannot be used are not an error here: they come back with the reason.
    """
    unusable: Bad = {}
    reader = data.reader
    if reader is None:
        return unusable
    missing: dict[str, dict[str, Clip]] = {}  # embedding -> digest -> a clip with that content
    recipes: dict[str, Mapping[str, Any]] = {}
    equal: dict[tuple[str, str], set[tuple[str, str]]] = {}  # (embedding, digest) -> (machine, name) of others like it
    for request in requests:
        cache = FeatureCache(root, recipe_on(request.recipe, device))
        lacking = missing.setdefault(request.embedding, {})
        recipes[request.embedding] = request.recipe
        for clip, digest in _digests(data, request.clips):
            if isinstance(digest, Unusable):
                unusable.setdefault(request.embedding, {})[clip.machine, clip.name] = digest
            elif digest in lacking:
                if clip != lacking[digest]:
                    equal.setdefault((request.embedding, digest), set()).add((clip.machine, clip.name))
            elif not _intact(cache, digest):
                lacking[digest] = clip
    if any(missing.values()):
        progress.stage("embedding", sum(map(len, missing.values())))
    calls = (
        (
            (spec, own),
            embed_chunk,
            (spec, recipes[spec], [lacking[digest] for digest in own], own, reader, root, device),
        )
        for spec, lacking in missing.items()
        for own in _chunks(lacking)
    )
    for (spec, own), bad in each(executor, calls):
        progress.advance(len(own), f"{parse(spec).name} clips")
        if isinstance(bad, Lost):
            bad = dict.fromkeys(range(len(own)), Unusable(f"not embedded: {bad.reason}", lasting=False))
        for position, reason in bad.items():
            clip = missing[spec][own[position]]
            for place in ((clip.machine, clip.name), *equal.get((spec, own[position]), ())):
                unusable.setdefault(spec, {})[place] = reason
    return unusable


def source(
    data: Dataset, clips: Sequence[Clip], recipe: Mapping[str, Any], kind: Kind, root: Path, device: str
) -> tuple[FeatureSource, dict[tuple[str, str], FeatureKey]]:
    """Where the features of some clips are, and the key there of each (machine, clip name) that can be read."""
    if data.features is not None:
        return FeatureFile(data.features.path), {(c.machine, c.name): c.row for c in clips if c.row is not None}
    found = _digests(data, clips)
    keys = {(clip.machine, clip.name): digest for clip, digest in found if not isinstance(digest, Unusable)}
    return CachedFeatures(root, recipe_on(recipe, device), kind), {**keys}


def _digests(data: Dataset, clips: Sequence[Clip]) -> Iterator[tuple[Clip, str | Unusable]]:
    """Each clip and its hash, or why it cannot be read now: a file may disappear while a run goes on."""
    try:
        found: Sequence[str | Unusable] = digests_of(data, clips)
    except ClipError:
        found = [_digest(data, clip) for clip in clips]
    return zip(clips, found, strict=True)


def _digest(data: Dataset, clip: Clip) -> str | Unusable:
    try:
        return data.digest(clip)
    except ClipError as error:
        return Unusable(error.message, lasting=False)


def _chunks(digests: Iterable[str]) -> Iterator[Sequence[str]]:
    rest = iter(digests)
    while chunk := list(itertools.islice(rest, CHUNK)):
        yield chunk


def _intact(cache: FeatureCache, digest: str) -> bool:
    """Whether an entry is there and whole; a damaged one is removed, and so computed again."""
    try:
        return cache.has(digest) and cache.load(digest) is not None
    except DataError:
        return False


def extract_folder(
    data: Dataset,
    embedding: str,
    output: Path,
    cache: Path,
    executor: Executor,
    progress: Progress,
    device: str = "cpu",
    replace: bool = False,
) -> int:
    """Write the embedding of all clips of a data set into a folder that ``features:DIR`` reads.

    Parameters
    ----------
    embedding : str
        A spec with weights: ``resnet38[weights=FILE]``.
    output : Path
    cache : Path
        The cache's folder; what is there is not computed again.
    replace : bool
        Replace features that are in ``output`` already.

    Returns
    -------
    int
        Number of clips.

    Raises
    ------
    UsageError
        For an embedding that does not give one vector a clip, or a data set without sound.
    DataError
        Where a clip cannot be used: an index that lacks it would change the metrics without a word.
    """
    made: Embedding = registry.create("embeddings", embedding)
    if made.kind != "vector":
        raise UsageError(f"{made.name} gives {made.kind}, not one vector a clip", hint="choose resnet38 or cnn14")
    if (output / "index.csv").exists() and not replace:
        raise ConflictError(
            "there are features already",
            looked=str(output.absolute()),
            hint="add --replace, or choose another --output",
        )
    if data.reader is None:
        raise UsageError(f"{data.spec} has no sound to embed", hint="give a data set of sound files")
    root = cache / FEATURES
    clips = list(data.clips)
    recipe = recipe_of(embedding, made)
    bad = extract(data, [Request(embedding, recipe, clips)], root, executor, progress, device).get(embedding, {})
    if bad:
        raise DataError(
            f"{len(bad)} of {len(clips)} clips cannot be embedded",
            looked="\n".join(one.reason for one in list(bad.values())[:5]),
            hint="mend or remove these clips; what is embedded already is kept in the cache",
        )
    stored = FeatureCache(root, recipe_on(recipe, device))
    weights = recipe.get("weights", "none")
    write(
        output,
        clips,
        (stored.load(digest) for digest in digests_of(data, clips)),
        recipe=recipe,
        weights=str(weights["sha256"]) if isinstance(weights, Mapping) else str(weights),
        fingerprint=fingerprint(data, clips),
        stamps=list(dict.fromkeys([*data.stamps, *made.stamps])),
        year=data.year,
    )
    return len(clips)
