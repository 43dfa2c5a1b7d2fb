"""All built-in systems keep the contract, and say of each parameter what the report says."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from asdbench.api import Kind
from asdbench.plugins import registry
from asdbench.testing import check_system

torch.set_num_threads(1)

SYSTEMS = ["ae", "cvae", "clvae", "clvae-ensemble", "mvg"]


@pytest.mark.parametrize(
    ("spec", "kind", "random"),
    [
        ("ae[epochs=2,batch_size=32]", "frames", True),
        ("cvae[epochs=2,batch_size=16]", "vector", True),
        ("clvae[epochs=2,batch_size=16]", "vector", True),
        ("clvae-ensemble[epochs=2,batch_size=16,latent_at_test=sample,center_at_test=nearest]", "vector", True),
        ("mvg", "vector", False),
    ],
)
def test_keeps_the_contract(spec: str, kind: Kind, random: bool) -> None:
    check_system(spec, kind=kind, random=random, exact=True)


@pytest.mark.parametrize("name", SYSTEMS)
def test_documents_each_parameter_and_what_the_report_says_of_it(name: str) -> None:
    make = registry.factory("systems", name)
    said = registry.documentation(make)
    for parameter in registry.parameters(make):
        assert "Report:" in said[parameter], parameter


@pytest.mark.parametrize("name", SYSTEMS)
def test_quick_is_a_smaller_budget_and_nothing_else(name: str) -> None:
    system = registry.create("systems", name)
    assert set(system.quick) <= {"epochs", "batch_size"}
    for parameter, value in system.quick.items():
        assert 2 <= value < getattr(system.model, parameter)


def test_listing_the_systems_imports_nothing_heavy() -> None:
    heavy = {"torch", "scipy", "sklearn", "pandas", "librosa"}
    program = (
        "import sys; from asdbench.plugins import registry\n"
        "for name in registry.entries('systems'): registry.create('systems', name)\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
