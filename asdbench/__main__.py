"""``python -m asdbench``: the command line where its script is not on the path."""

from asdbench.cli import main

main()
