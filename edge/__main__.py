"""``python -m edge``: the command, for where it is not installed on the path."""

from edge.cli.main import main

main()
