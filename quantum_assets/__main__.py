"""`python -m quantum_assets`: the same as the `quantum-assets` command."""

from quantum_assets.cli.main import main

main()
