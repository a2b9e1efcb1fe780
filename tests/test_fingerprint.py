"""Which changes of the code change the fingerprints of which stages."""

import shutil
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from maskedteeth import fingerprint as module
from maskedteeth.fingerprint import closure, fingerprint
from maskedteeth.jobs import Jobs
from maskedteeth.settings.config import Settings
from maskedteeth.settings.validation import validate
from maskedteeth.stages import STAGES, locate, sections_of

LOSSES, TEETH, OURS = (
    f"maskedteeth.{name}" for name in ("training.losses", "tasks.teeth", "models.modified_resunet")
)
CONFIG = Path(__file__).parents[1] / "config"
#: All stages but tables and figures, which the report page stands for.
WATCHED = [s for s, place in STAGES.items() if s == "report" or not place.startswith("report.")]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package, which the fingerprints are taken from."""
    root = tmp_path / "maskedteeth"
    shutil.copytree(module.ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "ROOT", root)
    forget()
    yield root
    monkeypatch.undo()
    forget()


def forget():
    for function in (module.fingerprint, module.parsed, module._imports, module._tree):
        function.cache_clear()


def prints():
    forget()
    tasks = {stage: [TEETH] if "training" in sections_of(stage) else [] for stage in WATCHED}
    return {stage: fingerprint(locate(stage)[0], *tasks[stage]) for stage in WATCHED}


def changed(before):
    return {stage for stage, digits in prints().items() if digits != before[stage]}


def test_words_about_the_code_do_not_count(package):
    losses = package / "training" / "losses.py"
    losses.write_text(losses.read_text() + '\n\ndef f():\n    """Words."""\n    return 1\n')
    before = prints()
    text = losses.read_text().replace('"""Words."""', '"""Others."""  # A comment.')
    losses.write_text('"""Other words."""' + text[text.index('"""', 3) + 3 :].replace("\n\n", "\n"))
    assert changed(before) == set()
    losses.write_text(losses.read_text().replace('    """Others."""  # A comment.\n', ""))
    assert changed(before) == set()
    losses.write_text(losses.read_text().replace("return 1", "return '1'"))
    assert changed(before) == {"train"}


@pytest.mark.parametrize(
    ("file", "stages"),
    [
        ("training/losses.py", {"train"}),
        ("training/engine.py", {"pretrain", "train"}),
        ("metrics/boundary.py", {"evaluate", "evaluate_elsewhere"}),
        ("use/look.py", set()),
        ("data/copies.py", {"prepare", "pretrain", "evaluate_elsewhere"}),
        ("data/sources/hitl.py", {"fetch"}),
        ("pretext/patches.py", {"pretrain", "measure_pretext"}),
        ("settings/config.py", set()),  # its values reach a stage as its settings
        ("record.py", set()),
        ("report/records.py", {"report"}),
        ("cli.py", set()),
    ],
)
def test_changed_code_changes_exactly_the_stages_that_use_it(package, file, stages):
    before = prints()
    with (package / file).open("a") as content:
        content.write("\nx = 1\n")
    assert changed(before) == stages


@pytest.mark.parametrize(
    ("file", "methods"),
    [
        ("models/baselines.py", {"unet", "toothpix"}),
        ("models/mask_rcnn.py", {"mask_rcnn"}),
        ("training/adversarial.py", {"toothpix"}),
        ("training/instances.py", {"mask_rcnn"}),
        ("training/segmentation.py", {"unet", "toothpix", "mask_rcnn", "modified_resunet"}),
    ],
)
def test_what_a_method_chooses_counts_for_its_trainings_alone(package, file, methods):
    content: dict = {}
    for name in ("paper", "related"):
        update_config(content, yaml.safe_load((CONFIG / f"{name}.yaml").read_text()))
    study, run = validate(content, Settings), {"fraction": "0.1", "seed": "42"}

    def codes():
        forget()
        code = Jobs(study, {}, Path("results"), {"": ""}).parameters("train")["code"]
        return {name: code({"method": name} | run) for name in chosen}

    chosen = ("unet", "toothpix", "mask_rcnn", "modified_resunet")
    before = codes()
    with (package / file).open("a") as text:
        text.write("\nx = 1\n")
    assert {name for name, code in codes().items() if code != before[name]} == methods


@pytest.mark.parametrize(
    "block",
    [
        "class A:\n    def f(self):\n        INSIDE",
        "try:\n    pass\nexcept OSError:\n    INSIDE\nfinally:\n    pass",
        "match ROOT:\n    case 1:\n        with ROOT:\n            INSIDE",
    ],
)
def test_an_import_is_followed_wherever_it_stands(package, block):
    (package / "extra.py").write_text("x = 1\n")
    with (package / "training" / "losses.py").open("a") as content:
        content.write(f"\n{block.replace('INSIDE', 'from maskedteeth import extra')}\n")
    before = prints()
    assert "maskedteeth.extra" in closure((LOSSES,))
    (package / "extra.py").write_text("x = 2\n")
    assert changed(before) == {"train"}


def test_training_depends_on_its_losses_and_on_nothing_that_only_reads_or_reports():
    modules = closure((locate("train")[0], TEETH, OURS))
    assert {LOSSES, "maskedteeth.training.engine", OURS} <= modules
    others = ("report", "settings", "cli", "models.baselines", "data.sources", "data.prepare")
    assert not [n for n in modules if n.startswith(tuple(f"maskedteeth.{o}" for o in others))]


def test_no_table_or_figure_depends_on_networks_or_trainings():
    for file in module.ROOT.glob("report/*/[a-z]*.py"):
        kind = file.parent.name
        heavy = ("maskedteeth.training", "maskedteeth.models", "maskedteeth.pretext")
        modules = closure((f"maskedteeth.report.{kind}.{file.stem}",))
        assert not any(name.startswith(heavy) for name in modules), file


def test_what_an_exception_says_does_not_count_but_which_one_it_is(package):
    losses = package / "training" / "losses.py"
    losses.write_text(losses.read_text() + "\n\ndef f():\n    raise ValueError('one')\n")
    before = prints()
    losses.write_text(losses.read_text().replace("'one'", "'two'"))
    assert changed(before) == set()
    losses.write_text(losses.read_text().replace("raise ValueError", "raise TypeError"))
    assert changed(before) == {"train"}
