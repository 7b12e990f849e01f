"""`python -m cloaca_nb`: the same as the command `cloaca-nb`."""

from cloaca_nb.cli import main

main()
