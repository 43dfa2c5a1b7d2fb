"""The conformance check: what the author of a system runs against it, and what the built-in systems are held to.

Conventions
-----------
The data are small, random and made here: a system is checked for keeping the contract of :mod:`asdbench.api`, not for
being any good. A spec is checked with its ``quick`` budget; in a test::

    from asdbench.testing import check_system

    def test_mine_keeps_the_contract():
        check_system("mine[epochs=2]")

Values that must be the same may differ by rounding: by :data:`TOLERANCE` of the range that a component has over the
test clips, and :data:`STEPS` steps of its type at its size. Systems that promise more are held to the bit (``exact``).
"""

from __future__ import annotations

import copy
import math
import typing
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from asdbench.api import Batch, FitContext, Fitted, Floats, Kind, Scope, System
from asdbench.errors import FitError
from asdbench.plugins import registry
from asdbench.plugins.spec import parse
from asdbench.precision import varies
from asdbench.results.components import Column, column

TOLERANCE = 1e-5
"""Of a component's range over the test clips."""
STEPS = 100
"""Of its type, at the size of its largest value."""


def check_system(
    system: System[Any] | str,
    *,
    kind: Kind = "vector",
    n_features: int = 16,
    n_clips: int = 30,
    seed: int = 777,
    random: bool = False,
    exact: bool = False,
) -> None:
    """Fit a system to small random data and hold it to the contract.

    Checked: model and formula are values (hashable, equal by their parameters); components are there for the formula,
    one finite number a clip, in a type that holds what they tell; the score is not the same for all clips; equal seeds
    give bit-equal components; a clip's components depend neither on the other test clips, nor on how many they are
    (one, a half, all), nor on their order; watching the training (``on_epoch``) changes nothing; features are not
    changed; a clip of an unknown section does no harm; clips of one section and of no known domain, or of no known
    section at all (other years than 2021 have such), are trained on, or refused with a FitError; a model that says
    ``deterministic`` gives the same score whatever the seed. One that gives the same score of two seeds without saying
    so is told, by a UserWarning: verdicts about methods then ask for more trainings than it needs.

    Parameters
    ----------
    system : System or str
        A system, or a spec (``clvae[center_on=mu]``, ``./mine.py:mine``).
    kind : {"vector", "frames"}
        What its embedding gives: one vector a clip, or (frames, bands), here of 12 to 16 frames.
    n_features : int
        Length of the vectors, or bands.
    n_clips : int
        Training clips, over three sections (one, for the scope "section").
    seed : int
        Of the data and of the fits.
    random : bool
        Whether another seed must give other components.
    exact : bool
        Whether one clip, a half and all must give a clip the same bits, as with the systems that come with asdbench;
        else equal to rounding (see above).

    Raises
    ------
    AssertionError
        That says what the system does and what the contract wants.
    AsdbenchError
        What the system itself raises on such data.
    """
    system, twin = _made(system), _made(system)
    _check_values(system, twin)
    model = system.model

    sections, machines = (1 if model.scope == "section" else 3), (2 if model.scope == "all" else 1)
    train, test = (
        random_batch(n_clips, kind=kind, width=n_features, sections=sections, machines=machines, seed=number)
        for number in (seed, seed + 1)
    )
    kept = copy.deepcopy((train, test))
    ctx = FitContext(seed)
    fitted = model.fit(train, ctx)
    components = _components(system, fitted, test)
    _components(system, fitted, train)
    _check_score(system, components)
    for batch, copied in zip((train, test), kept, strict=True):
        same = all(np.array_equal(a, b) for a, b in zip(batch.features, copied.features, strict=True))
        _demand(
            same, "the system changes the features it is given; it must work on a copy (they may be a file on disk)"
        )
    _check_history(ctx)

    again = _components(system, twin.model.fit(train, FitContext(seed)), test)
    _check_equal(
        components, again, "two fits with the same seed give different {name}: draw every number from ctx.seed"
    )
    other = _components(system, model.fit(train, FitContext(seed + 1)), test)
    _check_seeds(system, components, other, random)

    seen: list[int] = []

    def watch(epoch: int, fitted: Fitted) -> None:
        seen.append(epoch)
        _components(system, fitted, test)

    watched = model.fit(train, FitContext(seed, on_epoch=watch))
    _check_equal(
        components,
        _components(system, watched, test),
        "{name} changes when the training is watched: components() must leave model and random state as they are",
    )
    _demand(seen == sorted(set(seen)), f"on_epoch is called with the epochs {seen}: they must count upwards")

    allowed = {name: _rounding(values) for name, values in components.items()}
    order = np.random.default_rng(seed).permutation(len(test))
    shuffled = _components(system, watched, _taken(test, order))
    _check_equal(
        {name: values[order] for name, values in components.items()},
        shuffled,
        "{name} of a clip depends on the order of the test clips",
        allowed,
    )
    _check_neighbours(system, watched, test, components, None if exact else allowed)
    _check_unknown_section(system, watched, test, components, allowed)
    _check_unstated(system, train, test, seed)


def random_batch(
    n: int = 30, *, kind: Kind = "vector", width: int = 16, sections: int = 3, machines: int = 1, seed: int = 0
) -> Batch:
    """Random clips to try a system on, read-only as a file would be.

    Parameters
    ----------
    n : int
        Clips; every fourth of a section is of the target domain.
    kind : {"vector", "frames"}
        One vector a clip, of values above 0; or (frames, width) a clip, of 12 to 16 frames, around -20.
    width : int
        Length of the vectors, or bands.
    sections, machines : int
        The clips are of these sections and machines in turn; sections differ by a shift.
    seed : int

    Returns
    -------
    Batch
    """
    rng = np.random.default_rng(seed)
    clip = np.arange(n, dtype=np.int64)
    section, turn = clip % sections, clip // sections
    machine, domain = turn % machines, (turn % 4 == 3).astype(np.int64)
    features: Floats | Sequence[Floats]
    if kind == "vector":
        features = np.abs(rng.standard_normal((n, width)) + 0.5 * section[:, None]).astype(np.float32)
        features.setflags(write=False)
    else:
        features = [
            (rng.standard_normal((12 + row % 5, width)) - 20 + section[row]).astype(np.float32) for row in range(n)
        ]
        for frames in features:
            frames.setflags(write=False)
    return Batch(features, machine, section, domain, sections)


def _check_values(system: System[Any], twin: System[Any]) -> None:
    model = system.model
    _demand(bool(system.name and system.title), "the system has no name or no title")
    _demand(
        model == twin.model and hash(model) == hash(twin.model),
        "two models with the same parameters are not equal: make the model a frozen dataclass of its parameters",
    )
    _demand(
        model.scope in typing.get_args(Scope), f"scope is {model.scope!r}: it must be one of {typing.get_args(Scope)}"
    )
    parse(model.embedding)
    _demand(bool(system.formula), "the formula is empty: it must name at least one component")
    for name, weight in system.formula.items():
        _demand(math.isfinite(weight), f"the formula's weight of {name} is {weight}: it must be a number")


def _check_seeds(
    system: System[Any], components: Mapping[str, Column], other: Mapping[str, Column], random: bool
) -> None:
    """Whether another seed gives other scores, beside what the model says of it."""
    differs = any(not np.array_equal(components[name], other[name]) for name in system.formula)
    says = bool(getattr(system.model, "deterministic", False))
    if random:
        _demand(differs, "another seed gives the same components: the system does not use ctx.seed")
    _demand(
        not (says and differs),
        "the model says that it is deterministic, but two seeds give different scores: draw nothing from ctx.seed, or"
        " do not say so",
    )
    if not says and not differs:
        warnings.warn(
            f"{system.name}: two seeds give the same scores. If that is so on all data, say `deterministic:"
            " ClassVar[bool] = True` in the model: one training is then enough for a verdict about the method",
            stacklevel=3,
        )


def _check_history(ctx: FitContext) -> None:
    epochs = [terms["epoch"] for terms in ctx.history]
    _demand(epochs == [*range(1, len(epochs) + 1)], f"the epochs logged are {epochs}: they must be 1, 2, 3, ...")
    for terms in ctx.history:
        _demand(all(map(math.isfinite, terms.values())), f"a term that is not finite was logged: {terms}")


def _check_score(system: System[Any], components: Mapping[str, Column]) -> None:
    alive = any(varies(values.min(), values.max(), values.dtype) for name, values in _of_formula(system, components))
    _demand(
        alive,
        "the score is the same for all test clips, though they differ: a component that is large beside its differences"
        " loses them, in float32 sooner than in float64; subtract a constant, or give float64",
    )


def _of_formula(system: System[Any], components: Mapping[str, Column]) -> list[tuple[str, Column]]:
    return [(name, values) for name, values in components.items() if name in system.formula]


def _check_neighbours(
    system: System[Any],
    fitted: Fitted,
    test: Batch,
    components: Mapping[str, Column],
    allowed: Mapping[str, float] | None,
) -> None:
    for count, called in ((len(test) // 2, "with half of them"), (1, "alone")):
        found = _components(system, fitted, _taken(test, np.arange(count)))
        _check_equal(
            {name: values[:count] for name, values in components.items()},
            found,
            f"{{name}} of a clip depends on the other test clips: {called} it is another than with all {len(test)};"
            " take means and ranges from the training clips",
            allowed,
        )


def _check_unknown_section(
    system: System[Any],
    fitted: Fitted,
    test: Batch,
    components: Mapping[str, Column],
    allowed: Mapping[str, float],
) -> None:
    section = test.section.copy()
    section[0] = -1
    unknown = Batch(test.features, test.machine, section, test.domain, test.n_sections)
    found = _components(system, fitted, unknown, finite_from=1)
    _check_equal(
        {name: values[1:] for name, values in components.items()},
        {name: values[1:] for name, values in found.items()},
        "{name} of a clip changes when another clip is of an unknown section (code -1)",
        allowed,
    )


def _check_unstated(system: System[Any], train: Batch, test: Batch, seed: int) -> None:
    """The first-shot years have one section; training clips may state neither section nor domain."""
    for section, n_sections in ((0, 1), (-1, 0)):
        own, other = (
            replace(
                batch,
                section=np.full_like(batch.section, section),
                domain=np.full_like(batch.domain, -1),
                n_sections=n_sections,
            )
            for batch in (train, test)
        )
        try:
            fitted = system.model.fit(own, FitContext(seed))
        except FitError:
            continue  # its message is the reason in the tables
        _components(system, fitted, other, finite_from=0 if section == 0 else len(other))


def _components(system: System[Any], fitted: Fitted, batch: Batch, finite_from: int = 0) -> dict[str, Column]:
    found: dict[str, Any] = dict(fitted.components(batch))
    for name in system.formula:
        _demand(name in found, f"the formula names the component {name!r}, but components() gives {sorted(found)}")
    for name, values in found.items():
        _demand(
            isinstance(values, np.ndarray) and values.shape == (len(batch),) and values.dtype.kind == "f",
            f"component {name!r} must be an array of {len(batch)} floats, one a clip; it is "
            f"{type(values).__name__} {np.shape(values)} {getattr(values, 'dtype', '')}",
        )
        unusable = np.count_nonzero(~np.isfinite(values[finite_from:]))
        _demand(unusable == 0, f"component {name!r} is not finite for {unusable} of {len(batch)} ordinary clips")
        try:
            found[name] = column(name, values, len(batch))
        except FitError as error:  # what a run would say
            raise AssertionError(str(error)) from error
    return found


def _rounding(values: Column) -> float:
    """How far a component may be off (see the module's conventions)."""
    low, high = float(values.min()), float(values.max())
    steps = STEPS * float(np.finfo(values.dtype).eps)
    return TOLERANCE * high - TOLERANCE * low + steps * max(abs(low), abs(high))


def _check_equal(
    left: Mapping[str, Column], right: Mapping[str, Column], message: str, allowed: Mapping[str, float] | None = None
) -> None:
    _demand(left.keys() == right.keys(), f"components() gives now {sorted(left)}, now {sorted(right)}")
    for name, values in left.items():
        if allowed is None:
            same = np.array_equal(values, right[name])
        else:
            same = bool((np.abs(values.astype(np.float64) - right[name]) <= allowed[name]).all())
        _demand(same, message.format(name=f"component {name!r}"))


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _made(system: System[Any] | str) -> System[Any]:
    if isinstance(system, System):
        return copy.deepcopy(system)
    spec = parse(system)
    made = registry.create("systems", spec)
    _demand(isinstance(made, System), f"{spec.name} makes a {type(made).__name__}, not an asdbench.api.System")
    quick: System[Any] = registry.create("systems", spec.with_parameters(**{**made.quick, **dict(spec.parameters)}))
    return quick


def _taken(batch: Batch, rows: Any) -> Batch:
    features = batch.features[rows] if isinstance(batch.features, np.ndarray) else [batch.features[row] for row in rows]
    return Batch(features, batch.machine[rows], batch.section[rows], batch.domain[rows], batch.n_sections)
