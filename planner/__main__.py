"""``python -m planner``, and the command ``planner``."""

import os
import sys

from planner.core.errors import INTERRUPTED
from planner.ui.cli import main as run


def main() -> int:
    """The command. Once interrupted, it does not wait for threads that wait for the network."""
    code = run()
    if code == INTERRUPTED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
