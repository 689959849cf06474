"""``python -m planner``, and the command ``planner``."""

from planner.ui.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
