"""Any valid settings plan the trainings that they ask for.

A few random studies are planned in the usual run. `MASKEDTEETH_PLANS=200 pytest
tests/workflow/test_any_settings.py` plans 200, a new selection every time.
"""

import os
import subprocess
import sys
from pathlib import Path

import hypothesis
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate

pytestmark = pytest.mark.workflow

ROOT = Path(__file__).parents[2]
PLANS = int(os.environ.get("MASKEDTEETH_PLANS", "0"))

names = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True).filter(lambda n: n != "random")
seeds = st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3, unique=True)
six_digits = st.floats(0.01, 0.9).map(lambda f: float(f"{f:g}"))
fractions = st.lists(six_digits, min_size=1, max_size=3, unique=True)


@st.composite
def studies(draw):
    """Settings of a small study, and how many pretrainings and trainings it asks for."""
    pretext = {name: {} for name in draw(st.lists(names, max_size=2, unique=True))}
    common, drawn, methods = draw(seeds), draw(fractions), {}
    for name in draw(st.lists(names, min_size=1, max_size=3, unique=True)):
        start = draw(st.sampled_from(["random", *pretext]))
        methods[name] = {"label": f"{name}: 5 $ & 'ü'", "seeds": draw(st.none() | seeds)}
        methods[name] |= {"initialisation": start}
        if start == "random":
            architectures = st.sampled_from(["modified_resunet", "unet", "segformer"])
            methods[name]["model"] = {"architecture": draw(architectures)}
    content = {
        "study": draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,30}", fullmatch=True)),
        "data": {"source": "phantom"},
        "split": {
            "protocol": draw(st.sampled_from(["fixed-test", "complement"])),
            "test_fraction": 0.1,
            "fractions": drawn,
        },
        "task": draw(st.sampled_from(["teeth", "numbering"])),
        "seeds": common,
        "pretext": pretext,
        "methods": methods,
        "report": {"ours": draw(st.sampled_from([*methods])), "figure_fraction": drawn[0]},
    }
    trained = len(drawn) * sum(len(method["seeds"] or common) for method in methods.values())
    return content, len(pretext), trained


def planned(content, folder):
    """Plan a study from its settings alone; return how many jobs of each rule are listed."""
    # Every study is an overlay of the paper's: all that this one names is taken out.
    paper = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
    for section in ("pretext", "methods"):
        content = content | {section: dict.fromkeys(paper[section]) | content[section]}
    file = folder / "any.yaml"
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--quiet", "rules"]
    command += ["--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-3000:]
    rows = [line.split() for line in printed.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


@hypothesis.settings(
    max_examples=PLANS or 4,
    derandomize=not PLANS,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
    database=None,
)
@given(studies())
def test_any_valid_settings_plan_their_trainings(tmp_path_factory, study):
    content, pretrained, trained = study
    validate(content, Settings)
    jobs = planned(content, tmp_path_factory.mktemp("any"))
    assert jobs.get("pretrain", 0) == pretrained
    assert jobs["train"] == trained
    assert jobs["evaluate"] == len(content["methods"]) + min(len(content["methods"]), 2)
