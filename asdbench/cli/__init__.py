"""The command line. One module a command; only this package prints. stdout is the result, stderr progress and log."""

from __future__ import annotations

import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from asdbench.errors import AsdbenchError
from asdbench.progress import keep_warnings
from asdbench.version import __version__

COMMANDS = {
    "run": "Run systems over a data set and print their tables.",
    "report": "Print the tables of a results folder.",
    "plot": "Draw one figure: `plot auc|shift|roc|histogram|training|latent`.",
    "leaderboard": "Rank systems, own and published, by official score.",
    "compare": "Say whether one system is better than another, and how surely.",
    "check": "Compare results with the expected scores.",
    "score": "Score a folder of challenge files, anybody's.",
    "export": "Write a submission from results.",
    "fetch": "Download a data set or a checkpoint: `fetch dcase2021 --to ROOT`, `fetch resnet38`.",
    "embed": "Write the embedding of a data set's clips into a folder.",
    "published": "List the published tables, or show one: `published show narita2021/table-5`.",
    "datasets": "List the data sets, or check one: `datasets validate ROOT`.",
    "cache": "What is kept: `cache info`, `cache verify`, `cache prune`.",
    "doctor": "Say what is ready on this machine, and what is missing.",
    "systems": "List the systems, or show one: `systems show clvae`.",
}


PIPE = 13
"""The number of the signal SIGPIPE, which not all systems have."""


class _Closed(Exception):  # noqa: N818  # it is no error: whoever read the output has what they wanted
    """Standard output or error is a pipe that nobody reads any more."""


@contextmanager
def _pipes_told() -> Iterator[None]:
    """Within it, a closed pipe is told as such: click and rich make it exit code 1, each in its own way."""
    try:
        yield
    except BrokenPipeError as error:
        raise _Closed from error
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):
            raise _Closed from error
        raise


class _Commands(click.Group):
    """Imports a command's module only when that command is called: `--help` loads nothing heavy."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        with _pipes_told():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _pipes_told():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"asdbench.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from asdbench.plugins.registry import unknown

            raise unknown("command", args[0], COMMANDS)
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="asdbench")
@click.option("-v", "--verbose", is_flag=True, help="Show a traceback with errors.")
def root(verbose: bool) -> None:
    """Benchmark and reproduction harness for unsupervised anomalous sound detection of machines."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit.

    An error takes three lines and its exit code; Ctrl-C exits with 130; 141 where what read the output wants no more.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not sys.warnoptions:
        keep_warnings()
    try:
        _main(given)
    except (BrokenPipeError, _Closed):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):  # what is left in a buffer goes there
            os.dup2(nowhere, stream)
        sys.exit(128 + PIPE)  # as if the signal had ended it


def _main(given: list[str]) -> None:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a character must not end a run
    stops = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    for stop in stops:
        signal.signal(stop, signal.default_int_handler)  # as Ctrl-C: workers end, too
    try:
        code: Any = root.main(given, prog_name="asdbench", standalone_mode=False)
        sys.stdout.flush()
    except AsdbenchError as error:
        if "-v" in given or "--verbose" in given:
            raise
        _complain(error.message, error.looked, error.hint)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        raise
    except OSError as error:
        if given and given[0] in ("-v", "--verbose"):
            raise
        where = str(error.filename or "standard output")
        hint = "mend its permissions or its disk, or name another place; `asdbench -v ...` shows what wanted it"
        _complain(f"the operating system refused: {error.strerror or error}", where, hint)
        sys.exit(4)
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted", "what is finished is kept", "run the same command again to go on")
        for stop in (signal.SIGINT, *stops):
            signal.signal(stop, lambda *_: os._exit(130))  # asked for once more: now, and without a word
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


def _complain(message: str, looked: str, hint: str) -> None:
    from asdbench.cli.wrapping import line

    click.echo(line(f"{click.style('Error:', fg='red', bold=True)} ", message, sys.stderr), err=True)
    if looked:
        click.echo(line("  found: ", looked, sys.stderr), err=True)
    if hint:
        click.echo(line("  to do: ", hint, sys.stderr), err=True)
