"""python -m oee."""

from oee.app import main

main()
