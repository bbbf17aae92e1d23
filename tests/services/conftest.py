"""What hosts and their tests begin with."""

import logging
from collections.abc import Iterator

import pytest

from tests.services.diary import Diary


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Hosts configure the process's logging; afterwards it is as it was."""
    root, ours = logging.getLogger(), [logging.getLogger("linkflow"), logging.getLogger("functions")]
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for logger in ours:
        logger.setLevel(logging.NOTSET)
