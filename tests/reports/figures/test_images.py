"""The key figures against stored pictures (pytest-mpl; ``--mpl-generate-path`` makes them again)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from asdbench.reports import figures
from asdbench.reports.content import evidence
from asdbench.reports.figures import drawing
from tests.reports.results import write_results

pytestmark = pytest.mark.slow  # comparing pictures starts a process

if TYPE_CHECKING:
    from matplotlib.figure import Figure

compared = pytest.mark.mpl_image_compare(
    baseline_dir="baseline", tolerance=4, style="default", savefig_kwargs={"dpi": 50}
)


def _sheet(folder: Path, kind: figures.Kind, published: bool = False) -> Figure:
    layout = {"dataset": "dcase2021", "spec": "dcase2021:ROOT", "stamps": ()} if published else {}
    results = write_results(folder, machines=("fan", "valve"), published=published, **layout)  # type: ignore[arg-type]  # as write_results'
    (view,) = evidence.views(results)
    with drawing.settings():
        return drawing.sheet(figures.make(kind, view))


@compared
def test_auc(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "auc", published=True)


@compared
def test_shift(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "shift", published=True)


@compared
def test_roc(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "roc")


@compared
def test_histogram(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "histogram")


@compared
def test_training(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "training")


@compared
def test_latent(tmp_path: Path) -> Figure:
    return _sheet(tmp_path, "latent")
