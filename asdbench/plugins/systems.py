"""Making a system from its spec, and seeing that it is one."""

from __future__ import annotations

import math
from dataclasses import is_dataclass
from typing import Any, get_args

from asdbench.api import Scope, System
from asdbench.errors import UsageError
from asdbench.plugins import registry
from asdbench.plugins.spec import Spec, parse


def create_system(spec: Spec | str) -> System[Any]:
    """The system of a spec.

    Raises
    ------
    UsageError
        As :func:`asdbench.plugins.registry.create` does, and where what the factory gives is no system.
    """
    spec = parse(spec) if isinstance(spec, str) else spec
    system = registry.create("systems", spec)
    if not isinstance(system, System):
        raise UsageError(
            f"{spec.name} gives no System",
            looked=f"it gives {None if system is None else f'a value of type {type(system).__name__}'}",
            hint="end the factory with: return System(name, title, model, formula)",
        )
    model = system.model
    lacking = [name for name in ("embedding", "scope", "fit") if not hasattr(model, name)]
    if lacking or not is_dataclass(model):
        raise UsageError(
            f"the model of {spec.name} is none",
            looked=f"it is of type {type(model).__name__}"
            + (f", without {', '.join(lacking)}" if lacking else ", which is no dataclass"),
            hint="make it a frozen dataclass of its parameters with embedding, scope and fit()",
        )
    for formula in (system.formula, *system.standardised):
        if not formula or not all(isinstance(w, (int, float)) and math.isfinite(w) for w in formula.values()):
            raise UsageError(f"the formula of {spec.name} is no sum of components", looked=str(dict(formula)))
        if not formula.keys() <= system.formula.keys():
            raise UsageError(
                f"{spec.name} standardises a sum of components that its formula does not name",
                looked=f"{dict(formula)}; the formula has {', '.join(system.formula)}",
                hint="name every component in the formula, too",
            )
    if system.model.scope not in get_args(Scope):
        raise UsageError(
            f"{spec.name} has the scope {system.model.scope!r}",
            looked=f"there are: {', '.join(get_args(Scope))}",
            hint="choose one of these",
        )
    return system
