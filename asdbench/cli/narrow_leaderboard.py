"""A leaderboard for a terminal that is narrower than its Markdown: what to mind stands below, by letters."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from asdbench.cli import wrapping as lines
from asdbench.cli.wrapping import columns, line
from asdbench.reports.content.evidence import one_line
from asdbench.reports.content.footnotes import Letters
from asdbench.reports.content.leaderboard import Board
from asdbench.reports.content.wording import PARTS
from asdbench.reports.text import leaderboard

ROOMY = 100
"""Width from which on the seeds' number, mean and standard deviation stand in one line."""


def show(boards: Sequence[Board]) -> None:
    """Print every board, as wide as the terminal."""
    console = lines.console()
    click.echo(line("", "Shortened for a narrow terminal. `asdbench leaderboard > FILE` also says where each is from."))
    for board in boards:
        console.print("", Text(one_line(f"Leaderboard: {board.dataset}{PARTS[board.part]}"), "bold"), sep="\n")
        click.echo(line("", leaderboard.about(board)))
        if leaderboard.nothing(board):
            console.print(Text(one_line(leaderboard.nothing(board)), "bold yellow"))
        letters = Letters(mind for place in board.places for mind in place.mind)
        heads = [head.replace(" % ", " %\n").replace("Official ", "Official\n") for head in leaderboard.HEAD]
        shown = columns(["Rank", "System"], heads)
        for place in board.places:
            name = Text(one_line(place.title if place.published else place.system))
            name += Text(letters(place.mind), "bold yellow")
            numbers = leaderboard.numbers(place)
            if console.width < ROOMY:
                numbers = [number.replace(": ", ":\n", 1) for number in numbers]  # mean and sd below
            shown.add_row(leaderboard.rank(place), name, *numbers)
        console.print("", shown, "", sep="\n")
        for said in letters.key():
            console.print(Text(one_line(said), "bold yellow"))
        for note in leaderboard.notes(board):
            click.echo(line("- ", one_line(note)))
