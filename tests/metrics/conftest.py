import filelock
import pytest

from maskedteeth.metrics.lpips_weights import fetch_weights, unavailable_reason


@pytest.fixture(scope="session")
def alexnet_weights(request):
    """AlexNet's weights, downloaded once and kept in pytest's cache."""
    folder = request.config.cache.mkdir("lpips")
    weights = folder / "alexnet-3.safetensors"
    with filelock.FileLock(folder / "lock"):  # pytest-xdist runs several sessions
        if not weights.exists():
            fetch_weights("optional", None, weights=weights)
            reason = unavailable_reason(weights)
            if reason is not None:
                weights.unlink()
                pytest.skip(f"AlexNet's weights cannot be had here: {reason}")
    return weights
