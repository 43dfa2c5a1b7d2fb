"""Programs that start at once: one process has imported what they import, and is forked for each.

Importing torch, pandas and scipy takes longer than most commands do. A forked program still has a process of its own,
with its own arguments, folder, environment, standard streams and exit code.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).parents[1]
HEAVY = (
    *("click", "concurrent.futures.process", "jinja2", "librosa", "matplotlib.backends.backend_pdf", "pandas", "pooch"),
    *("matplotlib.backends.backend_svg", "requests", "rich.progress", "safetensors.torch", "scipy.linalg"),
    *("scipy.signal", "scipy.stats", "sklearn.covariance", "soundfile", "soxr", "sqlite3", "tabulate", "torch._dynamo"),
)
"""What is imported ahead. Nothing of asdbench: a test may replace a part of it before the command begins."""
PATIENCE = 600
"""Seconds after which a program counts as hanging and is ended, with the exit code of that signal."""


def forked(
    program: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str, str]:
    """Run code as ``python -c program arguments`` does; gives exit code, standard output and standard error."""
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    with tempfile.TemporaryDirectory() as streams:
        order = (program, list(arguments), str(folder), dict(environment), streams)
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        out, err = (Path(streams, name).read_text(encoding="utf-8") for name in ("out", "err"))
    return code, out, err


@cache
def _server() -> subprocess.Popen[str]:
    """The process that is forked; it ends as this one does, since then it reads the end of its input."""
    code = "from tests.forking import serve; serve()"
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def serve() -> None:
    """Fork for each order that comes, and answer with the exit code."""
    for name in HEAVY:
        importlib.import_module(name)
    gc.freeze()  # what is there now is not looked through, and so not copied, by a forked process
    for line in sys.stdin:
        program, arguments, folder, environment, streams = json.loads(line)
        child = os.fork()
        if not child:
            _become(arguments, folder, environment, streams)
            _run(program)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _become(arguments: list[str], folder: str, environment: dict[str, str], streams: str) -> None:
    """Take on what a fresh process is given: standard streams, arguments, environment and folder."""
    for number, (name, mode) in enumerate([(os.devnull, os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY)]):
        opened = os.open(Path(streams, name), mode | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    signal.alarm(PATIENCE)
    sys.argv = ["-c", *arguments]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)


def _run(program: str) -> NoReturn:
    """Run a program and end as the interpreter does, but for taking all modules apart: that takes a second."""
    code: Any = 0
    try:
        exec(compile(program, "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as end:
        code = end.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as at the end of any program
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)
