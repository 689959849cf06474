"""What every test shares."""

from pathlib import Path

import pytest

_REAL = Path(__file__).parent / "real"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what lies in ``tests/real``, before ``-m`` selects."""
    for item in items:
        if item.path.is_relative_to(_REAL):
            item.add_marker(pytest.mark.real)
