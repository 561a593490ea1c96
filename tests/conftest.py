"""What many test files use: an office with the settings that ship, on a store of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes import Office


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path / "data")
    yield made
    made.close()
