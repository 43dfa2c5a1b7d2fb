"""What code a plug-in runs: the modules that its own reach by static imports, each with a digest of what it does.

Conventions
-----------
A digest is of the syntax tree without comments, docstrings and layout: only what may change a number changes it.
Followed are ``import`` and ``from ... import`` anywhere in a module, inside functions as well, and
``import_module("a literal name")``; not what stands under ``if TYPE_CHECKING``. Of what is met,

- modules of the plug-in's own top-level package count, those beside ``./mine.py``, and those that are of no installed
  distribution;
- of asdbench those count that compute something: ``asdbench_systems``, and the rooms :data:`NUMBERS`;
- of other distributions the version counts.

Nothing is imported here, and nothing run. Files that are no Python (a table beside the code) are not seen.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

BUILT_IN = frozenset({"asdbench", "asdbench_systems"})
NUMBERS = frozenset({"audio", "detecting", "embeddings", "metrics"})
"""Of asdbench: what computes something. What every training runs of it beside that is the harness's to add."""
LARGEST = 10**6
"""Bytes of a source file that is looked at because a manifest names it."""
DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML", "PIL": "pillow", "cv2": "opencv-python"}
"""Distributions that are called otherwise than their modules, to spare a look at all that is installed."""


@dataclass(frozen=True)
class Sources:
    """The code behind a plug-in.

    Parameters
    ----------
    modules : mapping of str to str
        File (``mine.py``, ``package/module.py``) -> the digest of its code.
    versions : mapping of str to str
        Distribution that these import -> its version.
    state : str
        Changes with any byte of the files, comments among them.
    """

    modules: Mapping[str, str]
    versions: Mapping[str, str]
    state: str = ""


@lru_cache
def of_modules(start: str, *others: str) -> Sources:
    """The code that installed modules reach, looked up once a process: what is imported stays what it was.

    Parameters
    ----------
    start : str
        The plug-in's module: its top-level package and its distribution are followed.
    *others : str
        More modules to start from, as far as they count.
    """
    top = start.partition(".")[0]
    walk = _Walk({top} if top in BUILT_IN else {top, distribution(top)})
    for name in (start, *others):
        walk.follow(name)
    return walk.found()


def of_file(path: Path, *others: str) -> Sources:
    """The code that a plug-in file, and other modules as far as they count, reach, as it is now."""
    walk = _Walk(set(), path.parent)
    walk.read(path.parent, path)
    for name in others:
        walk.follow(name)
    return walk.found()


def digest_now(shown: str, folder: Path | None = None) -> str | None:
    """The digest that a file of :class:`Sources` has now; None where it is not found, or is no file of code.

    Parameters
    ----------
    shown : str
        As ``modules`` has it. It may come from anybody's manifest: nothing but a source file below ``folder``, or of an
        installed package, is read, and nothing is run.
    folder : Path or None
        A plug-in file's.
    """
    place = Path(shown)
    if place.is_absolute() or ".." in place.parts or place.suffix != ".py":
        return None
    top = place.parts[0].removesuffix(".py")
    for root in ([folder] if folder else []) + list(_roots(top) if top.isidentifier() else ()):
        file = root / place
        if file.is_file() and file.stat().st_size <= LARGEST and file.resolve().is_relative_to(root.resolve()):
            return parsed(file.read_bytes()).digest
    return None


def beside(folder: Path, name: str) -> bool:
    """Whether ``import name`` in a plug-in file of this folder means what lies beside it."""
    if name in BUILT_IN or not name:
        return False
    inner = folder / name  # a folder of modules without __init__.py: only where nothing else is called so
    return any(_located([folder], [name])) or (inner.is_dir() and any(inner.glob("*.py")) and not _roots(name))


@dataclass
class _Walk:
    """The files found so far; ``own`` top-level packages and distributions are followed, and a file's ``folder``."""

    own: set[str]
    folder: Path | None = None
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    foreign: set[str] = field(default_factory=set)

    def found(self) -> Sources:
        ordered = sorted(self.files.items())
        state = hashlib.sha256(repr(ordered).encode()).hexdigest()
        return Sources({shown: digest for shown, (digest, _) in ordered}, versions(self.foreign), state)

    def follow(self, name: str) -> None:
        """Read the files of an absolute name, where they count."""
        top = name.partition(".")[0]
        if self.folder is not None and beside(self.folder, top):
            roots: Sequence[Path] = [self.folder]
        elif top in sys.stdlib_module_names:
            return
        elif top in self.own | BUILT_IN or distribution(top) in {*self.own, ""}:
            roots = _roots(top)
        else:
            self.foreign.add(top)
            return
        for root, file in _located(roots, name.split(".")):
            self.read(root, file)

    def read(self, root: Path, file: Path) -> None:
        """Take in a file below ``root``, and what it imports."""
        place = file.relative_to(root)
        shown = place.as_posix()
        if shown in self.files or (place.parts[0] == "asdbench" and Path(place.parts[1]).stem not in NUMBERS):
            return
        content = file.read_bytes()
        if file.suffix != ".py":
            self.files[shown] = _short(content), b""
            return
        code = parsed(content)
        self.files[shown] = code.digest, hashlib.sha256(content).digest()
        for level, name in code.imports:
            if level == 0:
                self.follow(name)
            else:
                package = place.parts[:-1][: len(place.parts) - level]
                for _, other in _located([root], [*package, *name.split(".")] if name else package):
                    self.read(root, other)


@dataclass(frozen=True)
class Parsed:
    """A source file: the digest of what it does, and its imports as (level, dotted name); level 0 is absolute."""

    digest: str
    imports: tuple[tuple[int, str], ...]


@lru_cache(maxsize=4096)
def parsed(content: bytes) -> Parsed:
    """A source file's content; what is no Python counts byte by byte."""
    try:
        tree = ast.parse(content)
        return Parsed(code_digest(tree), tuple(dict.fromkeys(_imports(tree))))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return Parsed(_short(content), ())


def code_digest(*trees: ast.AST) -> str:
    """Sixteen hexadecimal digits of syntax trees without their docstrings; equal in all versions of Python."""
    return _short(repr([_plain(tree) for tree in trees]).encode("utf-8", "backslashreplace"))


def _plain(node: object) -> object:
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    kept = {name: value for name, value in ast.iter_fields(node) if value not in (None, []) and name != "kind"}
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        kept["body"] = node.body[ast.get_docstring(node, clean=False) is not None :]
    return [type(node).__name__, *((name, _plain(value)) for name, value in kept.items())]


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The modules that a tree may import: of ``from a import b``, both ``a`` and ``a.b``."""
    if isinstance(node, ast.Import):
        yield from ((0, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        yield node.level, module
        yield from ((node.level, f"{module}.{alias.name}".lstrip(".")) for alias in node.names if alias.name != "*")
    elif isinstance(node, ast.Call) and _called(node.func) in ("import_module", "__import__"):
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and not first.value.startswith("."):
            yield 0, first.value
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and _called(node.test) == "TYPE_CHECKING":
        children = node.orelse
    for child in children:
        yield from _imports(child)


def _called(node: ast.expr) -> str:
    """The last part of a name: ``c`` of ``a.b.c``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _located(roots: Iterable[Path], parts: Sequence[str]) -> Iterator[tuple[Path, Path]]:
    """(root, file) of each file that importing a dotted name runs: packages on the way, and the module."""
    for root in roots:
        folder = root
        for part in parts:
            package, there = folder / part / "__init__.py", folder / part
            module = next(
                (f for f in (folder / f"{part}{s}" for s in (".py", *EXTENSION_SUFFIXES)) if f.is_file()), None
            )
            if package.is_file():
                yield root, package
            elif module is not None:
                yield root, module
                break
            elif not there.is_dir():
                break
            folder = there


@lru_cache
def _roots(top: str) -> Sequence[Path]:
    """The folders in which a top-level module lies."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):  # a module without a spec, such as __main__
        return ()
    if spec is None:
        return ()
    places = list(spec.submodule_search_locations or ()) or ([spec.origin] if spec.origin else [])
    return tuple(dict.fromkeys(Path(place).parent for place in places))


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Distribution -> version of top-level modules that are of one."""
    names = {distribution(module) for module in modules} - {""}
    return {name: importlib.metadata.version(name) for name in sorted(names)}


@lru_cache
def distribution(module: str) -> str:
    """The installed distribution that a top-level module is of, or ""."""
    for name in (DISTRIBUTIONS.get(module, module), *_providers().get(module, ())[:1]):
        try:
            return str(importlib.metadata.metadata(name)["Name"])
        except importlib.metadata.PackageNotFoundError:
            continue
    return ""


@lru_cache
def _providers() -> Mapping[str, list[str]]:
    return importlib.metadata.packages_distributions()


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
