import filelock
import pytest
from safetensors.torch import load_file

from maskedteeth.metrics.lpips_weights import fetch_weights


@pytest.fixture(scope="session")
def alexnet_weights(request):
    """AlexNet's weights, downloaded once and kept in pytest's cache."""
    folder = request.config.cache.mkdir("lpips")
    weights = folder / "alexnet-3.safetensors"
    with filelock.FileLock(folder / "lock"):  # pytest-xdist runs several sessions
        if not weights.exists():
            fetch_weights("optional", weights=weights)
        if not load_file(weights):
            weights.unlink()
            pytest.skip("AlexNet's weights cannot be had here")
    return weights
