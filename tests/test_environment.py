from pathlib import Path

import yaml

ENVS = Path(__file__).parents[1] / "envs"


def test_conda_and_pip_get_the_same_pins():
    lines = (ENVS / "requirements.txt").read_text().splitlines()
    pins = [line.split("#")[0].strip() for line in lines]
    environment = yaml.safe_load((ENVS / "environment.yaml").read_text())
    assert environment["dependencies"][-1]["pip"] == [pin for pin in pins if pin]
