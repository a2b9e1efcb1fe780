import re
import shutil
from pathlib import Path

import pytest

from maskedteeth import fingerprint as module
from maskedteeth.cli import STAGES, module_of_stage
from maskedteeth.fingerprint import closure, fingerprint

PACKAGE = module.ROOT
CORE = ["index", "prepare", "split", "pretrain", "train", "evaluate"]
OURS = "maskedteeth.models.modified_resunet"
BASELINES = "maskedteeth.models.baselines"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the package, which the fingerprints are taken from."""
    root = tmp_path / "maskedteeth"
    shutil.copytree(PACKAGE, root, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(module, "ROOT", root)
    forget()
    yield root
    monkeypatch.undo()
    forget()


def forget():
    for function in (module.fingerprint, module.parsed, module._imports, module._tree):
        function.cache_clear()


def edit(file: Path, old: str, new: str) -> None:
    content = file.read_text()
    assert content.count(old) >= 1, f"{file.name} has no {old!r}"
    file.write_text(content.replace(old, new, 1))
    forget()


def prints():
    return {stage: fingerprint(module_of_stage(stage)) for stage in CORE}


def changed(before):
    return {stage for stage, digits in prints().items() if digits != before[stage]}


def test_it_is_16_hexadecimal_digits_and_always_the_same():
    digits = fingerprint("maskedteeth.training.train")
    assert len(digits) == 16 and int(digits, 16) >= 0
    assert digits == fingerprint("maskedteeth.training.train")


def test_comments_docstrings_and_formatting_do_not_count(copy):
    before = prints()
    losses = copy / "training" / "losses.py"
    edit(losses, losses.read_text().split("\n", 1)[0], '"""Other words."""\n\n# A comment.')
    edit(losses, '"""Dice loss (eq. 2), a radiograph at a time.', '"""Something else.')
    edit(losses, "dims = (1, 2, 3)", "dims = (\n        1,\n        2,  # rows\n        3,\n    )")
    assert changed(before) == set()


def test_a_removed_docstring_does_not_count(copy):
    before = prints()
    (copy / "training" / "__init__.py").write_text("")
    edit(copy / "seeds.py", '"""One seed, many independent streams of random numbers."""', "")
    forget()
    assert changed(before) == set()


def test_a_docstring_is_no_code_but_a_string_in_the_code_is(copy):
    before = prints()
    edit(copy / "metrics" / "segmentation.py", '"dice", "jaccard"', '"f1", "jaccard"')
    assert changed(before) == {"evaluate"}


@pytest.mark.parametrize(
    ("file", "old", "new", "stages"),
    [
        ("training/losses.py", "(total + 1e-6)", "(total + 1e-5)", {"train"}),
        ("training/optimiser.py", "fused=True", "fused=False", {"pretrain", "train"}),
        ("metrics/segmentation.py", "2 * tp", "3 * tp", {"evaluate"}),
        ("pretext/masking.py", "fewest, blocks.most + 1", "fewest, blocks.most", {"pretrain"}),
        ("pretext/guidance.py", "2 * across", "3 * across", {"pretrain", "train", "evaluate"}),
        ("data/hitl.py", "range(1, 33)", "range(1, 34)", {"index", "prepare"}),
        ("data/prepare.py", "covered >= 128", "covered >= 127", {"prepare"}),
        ("data/splits.py", 'f"test {', 'f"Test {', {"split"}),
        ("report/__init__.py", '"""', 'x = 1\n"""', set()),
    ],
)  # fmt: skip
def test_changed_code_changes_exactly_the_stages_that_use_it(copy, file, old, new, stages):
    before = prints()
    edit(copy / file, old, new)
    assert changed(before) == stages


def test_a_changed_network_changes_the_fingerprints_that_name_it(copy):
    def with_networks():
        return [fingerprint("maskedteeth.training.train", name) for name in (OURS, BASELINES)]

    before = with_networks()
    edit(copy / "models" / "modified_resunet.py", "padding=1", "padding=2")
    after = with_networks()
    assert after[0] != before[0] and after[1] == before[1]


@pytest.mark.parametrize("name", ["config", "jobs", "networks", "validation"])
def test_settings_do_not_count_for_they_arrive_as_settings(copy, name):
    before = prints()
    file = copy / "settings" / f"{name}.py"
    file.write_text(file.read_text() + "\nx = 1\n")
    forget()
    assert changed(before) == set()


@pytest.mark.parametrize(
    "block",
    [
        "class A:\n    def f(self):\n        INSIDE",
        "try:\n    pass\nexcept OSError:\n    INSIDE",
        "try:\n    pass\nfinally:\n    INSIDE",
        "if ROOT:\n    pass\nelse:\n    INSIDE",
        "match ROOT:\n    case 1:\n        with ROOT:\n            INSIDE",
    ],
)
def test_imports_and_docstrings_are_found_in_every_kind_of_block(copy, block):
    losses = copy / "training" / "losses.py"
    text = losses.read_text()
    (copy / "extra.py").write_text("x = 1\n")

    def inside(statement):
        losses.write_text(f"{text}\n{block.replace('INSIDE', statement)}\n")
        forget()
        return fingerprint("maskedteeth.training.losses")

    inside("from maskedteeth import extra")
    assert "maskedteeth.extra" in closure(("maskedteeth.training.losses",))
    assert inside("def g(): 'One thing.'") == inside("def g(): 'Another.'")
    assert inside("def g(): return 1") != inside("def g(): return 2")


def test_a_new_import_is_followed_wherever_it_stands(copy):
    before = prints()
    (copy / "extra.py").write_text("x = 1\n")
    edit(
        copy / "training" / "losses.py",
        "    dims = (1, 2, 3)",
        "    from maskedteeth import extra\n\n    dims = (1, 2, 3)",
    )
    assert "maskedteeth.extra" in closure(("maskedteeth.training.train",))
    now = prints()
    assert now["train"] != before["train"]
    edit(copy / "extra.py", "1", "2")
    assert prints()["train"] != now["train"] and prints()["evaluate"] == before["evaluate"]


def test_training_depends_on_its_losses_and_on_nothing_that_only_reports():
    modules = closure((module_of_stage("train"), OURS))
    assert {"maskedteeth.training.losses", "maskedteeth.training.engine", OURS} <= modules
    assert not any(name.startswith("maskedteeth.report") for name in modules)
    assert not any(name.startswith("maskedteeth.settings.") for name in modules)
    assert "maskedteeth.cli" not in modules
    assert BASELINES not in modules


@pytest.mark.parametrize("stage", ["split", "pretrain", "train", "evaluate", "measure-pretext"])
def test_nothing_after_the_prepared_data_depends_on_how_its_source_is_read(stage):
    sources = ("hitl", "folder", "records", "index", "prepare", "phantom", "fetch")
    modules = closure((module_of_stage(stage),))
    assert not modules & {f"maskedteeth.data.{name}" for name in sources}


def test_no_table_or_figure_depends_on_networks_or_trainings():
    for stage in STAGES:
        name = module_of_stage(stage)
        if not name.startswith("maskedteeth.report"):
            continue
        heavy = ("maskedteeth.training", "maskedteeth.models", "maskedteeth.pretext")
        assert not any(n.startswith(heavy) for n in closure((name,))), stage


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_a_fingerprint(stage):
    assert re.fullmatch("[0-9a-f]{16}", fingerprint(module_of_stage(stage)))


def test_an_unknown_module_is_an_error():
    with pytest.raises(ModuleNotFoundError, match=r"maskedteeth\.nothing"):
        fingerprint("maskedteeth.nothing")
