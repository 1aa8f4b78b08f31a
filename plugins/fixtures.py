"""The endpoints as pytest fixtures, on the host of the system whose folder the test stands in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from plugins.endpoints.names import ENDPOINTS
from plugins.run import RUN


def _fixture(name: str) -> Callable[[pytest.FixtureRequest], Any]:
    def endpoint(request: pytest.FixtureRequest) -> Any:
        return request.config.stash[RUN].round.endpoint(request.path.parent.name, name)

    endpoint.__doc__ = f"The `{name}` endpoint, shared by everything that looks in one round."
    return pytest.fixture(name=name)(endpoint)


# One fixture for each name, as pytest finds fixtures among a module's attributes.
globals().update({f"{name}_endpoint": _fixture(name) for name in ENDPOINTS})


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Any:
    """testinfra's host: what services and packages go through."""
    return request.config.stash[RUN].round.host(request.path.parent.name).testinfra


@pytest.fixture
def system(request: pytest.FixtureRequest) -> Any:
    """What was found of the system whose folder the test stands in."""
    return request.config.stash[RUN].round.system(request.path.parent.name)
