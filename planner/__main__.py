"""``python -m planner``, and the command ``planner``."""

import gc
import os
import sys
from typing import NoReturn

from planner.ui.cli import main as run

# Hardly anything of ours is in a cycle: looking for them every 700 objects, as is usual, takes a quarter of a lint's time.
_SELDOM = 100_000


def main() -> NoReturn:
    """The command. It leaves at once.

    No thread that waits for the network is waited for, and no module is taken apart, which takes a sixth of a lint's time.
    """
    gc.set_threshold(_SELDOM)
    code = run()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # a full disk, or closed: said where it could be said
            code = code or 1
    os._exit(code)


if __name__ == "__main__":
    main()
