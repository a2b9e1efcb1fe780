import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from snakemake.utils import update_config

from maskedteeth.settings.config import Model, Pretext, Settings

CONFIG = Path(__file__).parents[2] / "config"
OVERLAYS = sorted({*CONFIG.rglob("*.yaml")} - {CONFIG / "paper.yaml"})


# --- The paper ---


def test_the_papers_file_states_every_default(settings):
    study = settings()
    for name in set(Settings.model_fields) - {"pretext", "methods"}:
        assert getattr(study, name) == Settings.model_fields[name].default, name
    assert study.pretext == {"random_block_masking": Pretext()}
    for name in ("unet", "pspnet", "linknet"):
        assert study.methods[name].model == Model(architecture=name)
    ours = Model(architecture="modified_resunet", inputs=("xray", "sobel"))
    assert study.methods["modified_resunet"].model == ours
    assert study.model_of("random_block_masking") == ours


def test_the_papers_file_names_every_setting(paper, settings):
    """A reader finds all settings there but those that only other datasets have."""
    content, study = paper(), settings()
    assert set(Settings.model_fields) == set(content)
    for name in ("image", "split", "training", "evaluation", "report", "compute"):
        assert set(content[name]) == set(type(getattr(study, name)).model_fields), name
    shorthand = {"like", "longer"}
    assert set(Pretext.model_fields) - shorthand == set(content["pretext"]["random_block_masking"])


def test_the_papers_values_are_those_of_the_paper(settings):
    study = settings()
    assert study.split.fractions == (0.1, 0.2, 0.3, 0.8, 0.9)
    pretext = study.pretext["random_block_masking"]
    assert (pretext.epochs, pretext.learning_rate) == (80, 1e-4)
    assert (study.training.dice_weight, study.training.bce_weight) == (0.7, 0.3)
    assert (pretext.mask.fewest, pretext.mask.most, pretext.mask.area) == (2, 5, 0.15)


@pytest.mark.parametrize("file", OVERLAYS, ids=lambda file: file.stem)
def test_the_command_that_an_overlay_names_is_valid(settings, file):
    comment = re.match(r"(#.*\n)+", file.read_text())[0]
    named, merged = re.findall(r"config/(\S+\.yaml)", comment), {}
    assert str(file.relative_to(CONFIG)) in named
    for name in named:
        update_config(merged, yaml.safe_load((CONFIG / name).read_text()))
    assert settings(**merged).methods


def test_the_schema_accepts_the_paper_and_refuses_a_typo(paper):
    schema = Settings.model_json_schema()
    jsonschema.validate(paper(), schema)
    with pytest.raises(jsonschema.ValidationError, match="epoch"):
        jsonschema.validate(paper(training={"epoch": 3}), schema)


# --- Overlays ---


def test_null_takes_a_method_or_a_pretext_out(settings):
    changes = {
        "pretext": {"random_block_masking": None},
        "methods": {"random_block_masking": None, "unet": None},
        "report": {"ours": "modified_resunet"},
    }
    study = settings(**changes)
    assert study.pretext == {}
    assert list(study.methods) == ["pspnet", "linknet", "modified_resunet"]


def test_what_the_command_line_says_is_read_like_a_file(settings):
    """Snakemake gives what is inside of a mapping as text, and digits as a number."""
    words = {
        "study": 2024,
        "data": {"title": "null"},
        "methods": {
            "pspnet": "null",
            "unet": {"model": {"options": {"decoder_channels": ["64", "32"], "strict": "false"}}},
            "linknet": {"seeds": ["7"]},
        },
    }
    study = settings(**words)
    assert (study.study, study.data.title) == ("2024", None)
    assert "pspnet" not in study.methods and study.seeds_of("linknet") == (7,)
    assert study.model_of("unet").options == {"decoder_channels": [64, 32], "strict": False}


def test_an_entry_like_another_has_its_settings_where_it_names_none(settings):
    small = {"model": {"widths": [4, 8, 16]}, "mask": {"most": 4}, "epochs": 100}
    alike = {"like": "random_block_masking"}
    pretexts = {
        "random_block_masking": small,
        "without_sobel": alike | {"model": {"inputs": ["xray"]}},
        "patches": alike | {"mask": {"kind": "patches"}},  # has no `most`
        "longer": {"like": "patches", "longer": 2},
    }
    swin = {"architecture": "fpn", "encoder": "tu-swin_tiny_patch4_window7_224"}
    pretexts["swin"] = alike | {"model": swin}  # has no widths, and no Sobel
    study = settings(pretext=pretexts, methods={"twin": {"label": "Twin", "like": "unet"}})
    assert study.pretext["swin"].model.inputs == ("xray",) and study.pretext["swin"].epochs == 100
    without_sobel, patches = study.pretext["without_sobel"], study.pretext_of("patches")
    assert (without_sobel.model.widths, without_sobel.model.inputs) == ((4, 8, 16), ("xray",))
    assert without_sobel.mask.most == 4 and without_sobel.epochs == 100
    assert (patches.mask.kind, patches.mask.most, patches.epochs) == ("patches", 5, 100)
    longer = study.pretext_of("longer")
    assert longer == patches.model_copy(update={"epochs": 200})
    assert study.model_of("twin") == study.model_of("unet")


def test_a_new_architecture_is_a_line_of_config(settings):
    study = settings(methods={"fpn": {"label": "FPN", "model": {"architecture": "fpn"}}})
    assert list(study.methods)[-1] == "fpn" and study.model_of("fpn").encoder == "resnet34"


def test_a_method_has_the_studys_seeds_unless_it_names_its_own(settings):
    study = settings(methods={"unet": {"seeds": [7]}})
    assert study.seeds_of("unet") == (7,) and study.seeds_of("pspnet") == (42, 3407, 0)


def test_a_method_after_a_pretext_has_the_pretexts_network(settings):
    study = settings(pretext={"random_block_masking": {"model": {"widths": [4, 8, 16]}}})
    assert study.model_of("random_block_masking").widths == (4, 8, 16)
    assert study.model_of("modified_resunet").widths == (32, 64, 128, 256, 512)


def test_complement_has_no_fixed_test_set_that_fractions_must_fit_beside(settings):
    assert settings(split={"protocol": "complement", "fractions": [0.2, 0.95]})


def test_beside_a_given_split_any_fraction_may_fit(settings):
    assert settings(split={"given": "my/split.csv", "fractions": [0.2, 0.95]})


@pytest.mark.parametrize(
    ("path", "source"), [(None, "hitl"), ("my/archive.ZIP", "hitl"), ("my/folder", "auto")]
)
def test_without_a_folder_the_dataset_is_the_papers(settings, path, source):
    assert settings(data={"path": path}).data.source == source


@pytest.mark.parametrize("path", [".", "..", "mine", "a/mine", "/b/mine/"])
def test_a_folder_has_its_name_in_print_however_it_is_named(settings, tmp_path, monkeypatch, path):
    (tmp_path / "mine/mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / ("mine/mine" if path == ".." else "mine"))
    study = settings(data={"source": "folder", "path": path})
    assert study.data.name == "radiographs in 'mine', not the paper's dataset"
