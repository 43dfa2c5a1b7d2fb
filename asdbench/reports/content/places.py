"""A place for each system, from which its colour and mark follow: of a built-in system always the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

BUILT_IN = ("ae", "clvae", "clvae-ensemble", "cvae", "mvg")
"""The systems that come with asdbench, by place."""


def places(systems: Iterable[str]) -> Mapping[str, int]:
    """The place of each system of a results folder: of built-in ones always the same, of others those behind them."""
    return {name: place for place, name in enumerate((*BUILT_IN, *sorted({*systems} - {*BUILT_IN})))}
