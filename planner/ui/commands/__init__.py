"""One module per command: ``add_arguments`` and ``run``. Loaded only when its command is used."""
