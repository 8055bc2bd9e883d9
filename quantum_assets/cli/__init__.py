"""The `quantum-assets` command: one module a family of commands, and what `ui` needs to start and stop its servers.

Heavy libraries are imported inside the commands, so that `--help` answers at once. What a command does beyond parsing,
asking and printing belongs in a lower room.
"""
