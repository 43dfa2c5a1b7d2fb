"""Made trainings: systems whose fits and clips both vary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from asdbench.api import Cell
from asdbench.judging.samples import Sample, Scored


def made(
    name: str,
    seed: int,
    fits: int = 3,
    *,
    machines: Sequence[str] = ("fan", "pump"),
    sections: Sequence[str] = ("00", "01"),
    domains: Sequence[str] = ("source",),
    clips: int = 20,
    lift: float = 1.0,
    scale: float = 0.3,
    deterministic: bool = False,
    keys: bool = False,
    together: bool = False,
) -> Sample:
    """A system: clips (the same for every system) lie ``lift`` apart, a fit's effect on a machine is ``scale`` wide.

    ``together`` puts both domains into one file (2022 and later).
    """
    random = np.random.default_rng(seed)
    files = []
    labels = np.tile(np.repeat([0, 1], clips), len(domains) if together else 1)
    for number, machine in enumerate(machines):
        effects = scale * random.standard_normal(fits)
        for place, section in enumerate(sections):
            for of, domain in enumerate(("",) if together else domains):
                common = np.random.default_rng([number, place, of]).standard_normal(len(labels))
                noise = random.standard_normal((fits, len(labels)))
                files.append(
                    Scored(
                        Cell(machine, section, domain),
                        machine,
                        tuple(map(str, range(fits))),
                        labels,
                        common + noise + (lift + effects)[:, None] * labels,
                        tuple(f"clip_{clip:03d}" for clip in range(len(labels))),
                        tuple(np.repeat(domains, 2 * clips).tolist()) if together else (),
                        tuple(f"{machine}-{fit}" for fit in range(fits)) if keys else (),
                    )
                )
    return Sample(name, tuple(files), deterministic)
