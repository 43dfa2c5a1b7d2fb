"""The rooms of the package: few loose files, imports one way, no two files that import each other."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"asdbench": ROOT / "asdbench", "asdbench_systems": ROOT / "systems" / "asdbench_systems"}

ORDER = (
    ("api", "errors", "words", "files", "chunks", "audio", "precision", "progress", "version", "__init__"),
    ("metrics", "plugins"),
    ("published", "datasets", "embeddings"),
    ("results",),
    ("fetching",),
    ("upkeep",),
    ("running",),
    ("judging",),
    ("submissions",),
    ("reports",),
    ("cli",),
    ("__main__",),
)
"""The rooms from the bottom up. A room imports rooms below it; those of one line do not import each other."""
FACADES = {"testing"}
"""What stands beside the rooms for others to import."""


def modules() -> Mapping[str, Path]:
    """Dotted name -> file, of both packages."""
    return {
        ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__"): path
        for package, folder in PACKAGES.items()
        for path in sorted(folder.rglob("*.py"))
    }


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """Each module of ours that a file imports: at its top, inside functions, and for types."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}: a relative import"
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if name in known:
                    yield name
                elif node.module in known:
                    yield str(node.module)


def graph() -> Mapping[str, frozenset[str]]:
    known = modules()
    return {name: frozenset(imported(path, known)) - {name} for name, path in known.items()}


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def test_few_files_lie_loose() -> None:
    assert len(list((ROOT / "asdbench").glob("*.py"))) <= 12


def test_rooms_import_one_way() -> None:
    level = {name: number for number, rooms in enumerate(ORDER) for name in rooms}
    against = []
    for module, targets in graph().items():
        if not module.startswith("asdbench.") or room(module) in FACADES:
            continue
        for target in targets:
            here, there = room(module), room(target)
            if here != there and not (level[here] > level[there] or level[here] == level[there] == 0):
                against.append(f"{module} imports {target}")
    assert not against, "\n".join(against)


def test_no_files_import_each_other() -> None:
    edges = graph()
    circles = defaultdict(list)
    for start in edges:
        seen, todo = set(), [*edges[start]]
        while todo:
            module = todo.pop()
            if module == start:
                circles[start].append(start)
                break
            if module not in seen:
                seen.add(module)
                todo += edges[module]
    assert not circles, f"in circles: {', '.join(circles)}"


def test_the_harness_does_not_import_its_systems() -> None:
    for module, targets in graph().items():
        if module.startswith("asdbench."):
            assert not any(target.startswith("asdbench_systems") for target in targets), module


def test_every_module_says_what_it_is_for() -> None:
    for path in modules().values():
        first = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
        assert first, path
        assert first.splitlines()[0].strip(), path
