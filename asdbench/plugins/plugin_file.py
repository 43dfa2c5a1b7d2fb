"""A plug-in file as a module, with what lies beside it.

``import helper`` in ``mine.py`` means ``helper.py`` beside it, as it does for Python's own scripts, also where the
import stands inside a function and runs later. But file and neighbours live in a package of their own: two folders may
each have a ``helper.py``, and one called ``random.py`` hides nothing from anybody else. A file that has changed, or a
neighbour that has, is loaded anew; as long as nothing changes, two makings give equal models.
"""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.util
import sys
import types
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

from asdbench.errors import UsageError
from asdbench.plugins.sources import beside, of_file

PREFIX = "asdbench_plugin_"


def load(path: Path) -> types.ModuleType:
    """The module of a plug-in file.

    Raises
    ------
    UsageError
        Where it cannot be loaded: whatever its code raises is said, with the file.
    """
    return _load(path, of_file(path).state)


@lru_cache
def _load(path: Path, state: str) -> types.ModuleType:
    name = PREFIX + hashlib.sha256(f"{path}\0{state}".encode("utf-8", "backslashreplace")).hexdigest()[:16]
    package = types.ModuleType(name)
    package.__path__ = [str(path.parent)]
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    sys.modules[name] = package
    # Its own name, where that is one: what lies beside it may import it in turn.
    own = f"{name}.{path.stem if path.stem.isidentifier() else 'plugin'}"
    spec = importlib.util.spec_from_file_location(own, path, loader=_Loader(own, str(path)))
    assert spec is not None  # it has a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[own] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # it is somebody's code
        for left in [known for known in sys.modules if known.partition(".")[0] == name]:
            del sys.modules[left]
        raise UsageError(
            f"{path.name} cannot be loaded: {type(error).__name__}: {error}",
            looked=str(path),
            hint="mend it, or use -v to see where",
        ) from error
    return module


class _Loader(SourceFileLoader):
    """Runs a file whose imports look beside the plug-in first."""

    def get_code(self, fullname: str) -> types.CodeType:
        """Compiled anew: Python's own cache takes a file of the same second and size for unchanged."""
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module: types.ModuleType) -> None:
        """Run it."""
        package = sys.modules[module.__name__.partition(".")[0]]
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": _importing(package)}
        super().exec_module(module)


class _Finder(MetaPathFinder):
    """Finds what lies beside a plug-in file, within its package."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module of that name in the folders ``path``."""
        if not fullname.startswith(PREFIX):
            return None
        finders = (FileFinder(folder, (_Loader, [".py"])) for folder in path or ())
        return next((spec for finder in finders if (spec := finder.find_spec(fullname))), None)


def _importing(package: types.ModuleType) -> Any:
    """``__import__`` for the modules of a package: absolute names that lie in its folder mean modules of it."""
    folder = Path(package.__path__[0])

    def look(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if level or not beside(folder, name.partition(".")[0]):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        importlib.import_module(f"{package.__name__}.{name}")
        inner = name if fromlist else name.partition(".")[0]
        found = sys.modules[f"{package.__name__}.{inner}"]
        for wanted in fromlist or () if hasattr(found, "__path__") else ():
            if not hasattr(found, wanted) and wanted != "*":  # a module of the package, or nothing
                part = f"{found.__name__}.{wanted}"
                if importlib.util.find_spec(part):
                    importlib.import_module(part)
        return found

    return look
