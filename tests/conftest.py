"""What several test files share: the real model, opened once a run, its conversion kept for the whole run."""

from pathlib import Path

import pytest

from index.embedder import BUNDLED, Embedder, open_embedder


@pytest.fixture(scope="session")
def model_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def real_embedder(model_cache: Path) -> Embedder:
    """The bundled model, run by OpenVINO."""
    return open_embedder(BUNDLED, runtime="openvino", cache=model_cache)
