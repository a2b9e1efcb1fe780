from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate

CONFIG = Path(__file__).parents[2] / "config"


@pytest.fixture
def paper():
    """The paper's settings with an overlay merged over them as Snakemake merges it."""

    def merged(**overlay):
        content = yaml.safe_load((CONFIG / "paper.yaml").read_text())
        update_config(content, overlay)
        return content

    return merged


@pytest.fixture
def settings(paper):
    """The same, validated."""
    return lambda **overlay: validate(paper(**overlay), Settings)
