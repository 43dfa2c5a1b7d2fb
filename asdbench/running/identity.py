"""What code the components of a job depend on: the plug-in's own, and the harness's part in training.

The digests stand in every job's key and in the recipe of cached features: edited code is other code, whatever its
version says. What they are taken of: :mod:`asdbench.plugins.sources`.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from asdbench import api, precision
from asdbench.api import Embedding, System
from asdbench.plugins import registry
from asdbench.plugins.plugin_file import PREFIX
from asdbench.plugins.sources import BUILT_IN, Sources, code_digest, of_file, of_modules
from asdbench.plugins.spec import Spec, parse
from asdbench.results import components
from asdbench.running import blinding, execution, fitting, planning

TRAINING = "asdbench: training"
"""Under which the harness's own digest stands."""


HARNESS: Mapping[types.ModuleType, Sequence[str]] = {
    api: ("Batch", "FitContext", "System"),
    planning: ("told", "units", "_fit", "derive_seed", "presentation_order"),
    blinding: ("rows_of",),
    execution: ("threads_set",),
    fitting: ("CachedFeatures", "FeatureFile", "Rows", "run_task", "components_of"),
    components: ("column",),
    precision: ("lost", "merged", "varies"),
}
"""What runs in every training, whatever the system."""


@lru_cache
def harness() -> str:
    """The digest of :data:`HARNESS`."""
    found: list[ast.AST] = []
    for module, names in HARNESS.items():
        tree = ast.parse(Path(str(module.__file__)).read_bytes())
        kinds = (ast.ClassDef, ast.FunctionDef)
        there = {node.name: node for node in tree.body if isinstance(node, kinds)}
        found += [there[name] for name in names]
    return code_digest(*found)


def code_of_system(spec: Spec | str, system: System[Any]) -> Sources:
    """The code that training a system and scoring with it runs.

    Parameters
    ----------
    spec : Spec or str
        What it was made from.
    system : System
    """
    found = _code("systems", spec, type(system), type(system.model))
    return Sources({TRAINING: harness(), **found.modules}, found.versions)


def recipe_of(spec: Spec | str, embedding: Embedding) -> dict[str, Any]:
    """An embedding's recipe and the code behind it: all that its features depend on besides the sound.

    Built-in embeddings name the versions of the libraries that move their values; of others all that they import count.
    """
    found = _code("embeddings", spec, type(embedding), also=("asdbench.audio", "asdbench.embeddings"))
    own = type(embedding).__module__.partition(".")[0] in BUILT_IN
    versions: Mapping[str, Any] = {} if own else {"libraries": dict(found.versions)}
    return {**embedding.recipe, "code": dict(found.modules), **versions}


def _code(group: registry.Group, spec: Spec | str, *classes: type, also: tuple[str, ...] = ()) -> Sources:
    name = (parse(spec) if isinstance(spec, str) else spec).name
    made_by = registry.factory(group, name)
    modules = [kind.__module__ for one in classes for kind in one.__mro__] + [made_by.__module__]
    others = sorted({module for module in modules if not module.startswith(PREFIX)} | {*also})
    entry = registry.entries(group).get(name)
    if entry is None:
        return of_file(Path(name.rpartition(":")[0]).resolve(), *others)
    return of_modules(entry.target.partition(":")[0], *others)
