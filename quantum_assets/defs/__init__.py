"""What people edit: one folder a study with its `defs.yaml`, and `profiles.yaml` beside them. No logic lives here."""
