"""How results were made: commands, versions, data, settings, and what deviates from the method; as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from asdbench.reports.content.evidence import Shown, View, one_line
from asdbench.reports.figures import look

CODE = frozenset({"Command", "Parameters", "Data fingerprint"})
"""Headings whose lines are to be read letter by letter."""
NO_DEVIATION = "None is known: full budget, no parameter given."


@dataclass(frozen=True)
class Made:
    """How a system's results were made, or (``look`` is None) what is the same of all systems.

    Parameters
    ----------
    name : str
    look : Look or None
    lines : mapping of str to list of str
        Lines by heading.
    """

    name: str
    look: look.Look | None
    lines: Mapping[str, list[str]]


def of(view: View) -> list[Made]:
    """What is the same of all systems of a view, once; then each system."""
    every = [_lines(shown) for shown in view.systems]
    first, *others = every
    shared = {
        head: [line for line in lines if others and all(line in own[head] for own in others)]
        for head, lines in first.items()
    }
    own = [
        {head: [line for line in lines if line not in shared[head]] for head, lines in made.items()} for made in every
    ]
    systems = [Made(shown.name, look.of(shown), _said(lines)) for shown, lines in zip(view.systems, own, strict=True)]
    return [Made("All systems", None, _said(shared)), *systems] if any(shared.values()) else systems


def _said(lines: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {head: own for head, own in lines.items() if own}


def _lines(shown: Shown) -> dict[str, list[str]]:
    """The lines of every heading, each once; none where nothing is recorded."""
    entries = [(machine, entry) for manifest in shown.manifests for machine, entry in manifest["machines"].items()]
    first = shown.manifests[0]
    parameters = entries[0][1]["key"]["parameters"]
    found = {
        "Command": [entry.get("command", "") for _, entry in entries],
        "Method": [first["system"].get("source", "")],
        "Deviations": shown.table.deviations or [NO_DEVIATION],
        "Settings": shown.table.settings,
        "Parameters": [", ".join(f"{name}={_setting(value)}" for name, value in parameters.items())],
        "Versions": [_environment(entry.get("environment", {})) for _, entry in entries],
        "Data fingerprint": [f"{machine} {entry['key']['data']}" for machine, entry in entries],
        "Written": [max(entry.get("written", "") for _, entry in entries)],
    }
    return {head: list(dict.fromkeys(one_line(line) for line in lines if line)) for head, lines in found.items()}


def _setting(value: object) -> object:
    """A parameter's value; of a file its digest."""
    return value["sha256"] if isinstance(value, Mapping) and "sha256" in value else value


def _environment(found: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items() if value)
