from pathlib import Path

import jsonschema
import pytest
import yaml
from snakemake.utils import update_config

from maskedteeth.errors import InputError
from maskedteeth.settings import config, jobs
from maskedteeth.settings.config import Method, Pretext, Settings
from maskedteeth.settings.networks import Model
from maskedteeth.settings.validation import validate

CONFIG = Path(__file__).parents[2] / "config"
OVERLAYS = sorted(
    f.name for f in CONFIG.glob("*.yaml") if f.name not in ("paper.yaml", "claims.yaml")
)


def paper(**overlay):
    """The paper's settings with an overlay merged over them as Snakemake merges it."""
    content = yaml.safe_load((CONFIG / "paper.yaml").read_text())
    update_config(content, overlay)
    return content


def settings(**overlay):
    return validate(paper(**overlay), Settings)


def refused(kind=Settings, **overlay):
    content = paper(**overlay) if kind is Settings else overlay
    with pytest.raises(InputError) as error:
        validate(content, kind)
    return str(error.value)


# --- The paper ---


def test_the_papers_file_states_every_default():
    study = settings()
    for name in ("study", "data", "image", "split", "seeds", "training", "evaluation", "report"):
        assert getattr(study, name) == Settings.model_fields[name].default, name
    assert study.compute == config.StudyCompute()
    assert study.pretext == {"random_block_masking": Pretext()}
    assert study.methods["unet"].model == Model(architecture="unet")
    assert study.methods["pspnet"].model == Model(architecture="pspnet")
    assert study.methods["linknet"].model == Model(architecture="linknet")
    ours = Model(architecture="modified_resunet", inputs=("xray", "sobel"))
    assert study.methods["modified_resunet"].model == ours
    assert study.methods["random_block_masking"] == Method(
        label="Random Block Masking + Modified ResUNet",
        short_label="Our approach",
        initialisation="random_block_masking",
    )


def test_the_papers_file_names_every_setting():
    """A reader finds all settings there but those that only other datasets have."""
    content, study = paper(), settings()
    for name in ("image", "split", "training", "evaluation", "report", "compute"):
        assert set(content[name]) == set(type(getattr(study, name)).model_fields), name
    assert set(Settings.model_fields) == set(content)
    assert set(Pretext.model_fields) == set(content["pretext"]["random_block_masking"])


def test_the_papers_values_are_those_of_the_paper():
    study = settings()
    assert study.split.fractions == (0.1, 0.2, 0.3, 0.8, 0.9)
    pretext = study.pretext["random_block_masking"]
    assert (pretext.epochs, pretext.learning_rate) == (80, 1e-4)
    assert (study.training.dice_weight, study.training.bce_weight) == (0.7, 0.3)
    assert (pretext.blocks.fewest, pretext.blocks.most, pretext.blocks.area) == (2, 5, 0.15)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_overlay_is_valid(name):
    overlay = yaml.safe_load((CONFIG / name).read_text())
    if overlay.get("data", {}).get("source") == "folder":
        overlay["data"].setdefault("path", "my/radiographs")
    assert settings(**overlay).study == Path(name).stem


def test_the_schema_accepts_the_paper_and_refuses_a_typo():
    schema = Settings.model_json_schema()
    jsonschema.validate(paper(), schema)
    with pytest.raises(jsonschema.ValidationError, match="epoch"):
        jsonschema.validate(paper(training={"epoch": 3}), schema)


def test_a_committed_schema_is_up_to_date():
    import json

    file = CONFIG / "schema.json"
    if not file.exists():
        pytest.fail("config/schema.json is missing; run make schema")
    assert json.loads(file.read_text()) == Settings.model_json_schema()


# --- Overlays ---


def test_null_takes_a_method_or_a_pretext_out():
    study = settings(methods={"unet": None, "pspnet": None})
    assert list(study.methods) == ["linknet", "modified_resunet", "random_block_masking"]
    without = settings(
        pretext={"random_block_masking": None},
        methods={"random_block_masking": None},
        report={"ours": "modified_resunet"},
    )
    assert without.pretext == {}


def test_a_new_architecture_is_a_line_of_config():
    study = settings(methods={"fpn": {"label": "FPN", "model": {"architecture": "fpn"}}})
    assert list(study.methods)[-1] == "fpn" and study.model_of("fpn").encoder == "resnet34"


def test_a_method_has_the_studys_seeds_unless_it_names_its_own():
    study = settings(methods={"unet": {"seeds": [7]}})
    assert study.seeds_of("unet") == (7,) and study.seeds_of("pspnet") == (42, 3407, 0)


def test_a_method_after_a_pretext_has_the_pretexts_network():
    study = settings(pretext={"random_block_masking": {"model": {"widths": [4, 8, 16]}}})
    assert study.model_of("random_block_masking").widths == (4, 8, 16)
    assert study.model_of("modified_resunet").widths == (32, 64, 128, 256, 512)


def test_complement_has_no_fixed_test_set_that_fractions_must_fit_beside():
    assert settings(split={"protocol": "complement", "fractions": [0.2, 0.95]})


# --- Mistakes ---

MISTAKES = {
    "typo": ({"trainin": {}}, "Setting trainin is unknown; did you mean 'training'?"),
    "nested typo": (
        {"training": {"epoch": 3}},
        "Setting training.epoch is unknown; did you mean 'epochs'?",
    ),
    "typo in a method": (
        {"methods": {"unet": {"labl": "x"}}},
        "Setting methods.unet.labl is unknown; did you mean 'label'?",
    ),
    "typo in a method's model": (
        {"methods": {"unet": {"model": {"encodr": "x"}}}},
        "Setting methods.unet.model.encodr is unknown; did you mean 'encoder'?",
    ),
    "typo in a pretext's blocks": (
        {"pretext": {"random_block_masking": {"blocks": {"fewst": 1}}}},
        "Setting pretext.random_block_masking.blocks.fewst is unknown; did you mean 'fewest'?",
    ),
    "nothing like it": (
        {"compute": {"zzz": 1}},
        "Setting compute.zzz is unknown; known here: device, precision, threads, "
        "checkpoint_minutes.",
    ),
    "wrong type": (
        {"training": {"epochs": "many"}},
        "Setting training.epochs is 'many'; it must be a whole number.",
    ),
    "half an epoch": (
        {"training": {"epochs": 1.5}},
        "Setting training.epochs is 1.5; it must be a whole number.",
    ),
    "list for a mapping": (
        {"image": [256, 512]},
        "Setting image is [256, 512]; it must be a mapping",
    ),
    "null for a section": ({"training": None}, "Setting training is null; it must be a mapping"),
    "below the range": (
        {"training": {"epochs": 0}},
        "Setting training.epochs is 0; it must be 1 or more.",
    ),
    "above the range": (
        {"split": {"test_fraction": 1}},
        "Setting split.test_fraction is 1; it must be below 1.",
    ),
    "not a number": (
        {"training": {"learning_rate": float("nan")}},
        "Setting training.learning_rate is nan; it must be a finite number.",
    ),
    "item of a list": (
        {"split": {"fractions": [0.1, 2]}},
        "Setting split.fractions.1 is 2; it must be below 1.",
    ),
    "not one of the allowed": (
        {"data": {"source": "dicom"}},
        "Setting data.source is 'dicom'; it must be 'hitl', 'folder' or 'phantom'.",
    ),
    "a name with a slash": (
        {"study": "../elsewhere"},
        "Setting study is '../elsewhere'; it must consist of letters, digits, _ and -, and begin "
        "with a letter or digit.",
    ),
    "a method's name with a capital": (
        {"methods": {"UNet": {"label": "x", "model": {"architecture": "unet"}}}},
        "Setting methods.UNet is 'UNet'; it must consist of small letters, digits and _, and "
        "begin with a letter.",
    ),
    "no label": (
        {"methods": {"fpn": {"model": {"architecture": "fpn"}}}},
        "Setting methods.fpn.label is missing; add it.",
    ),
    "no fractions": ({"split": {"fractions": []}}, "Setting split.fractions is []; "),
    "a folder for the phantom": (
        {"data": {"source": "phantom", "path": "mine"}},
        "Setting data.path is 'mine', but data.source is 'phantom', which is drawn; for your own "
        "radiographs set data.source to 'folder'.",
    ),
    "a pretext called random": (
        {"pretext": {"random": {}}},
        "Setting pretext.random has the name that stands for no pretext; rename it.",
    ),
    "two methods of one name": (
        {"methods": {"unet": {"label": "PSPNet"}}},
        "Setting methods.label 'PSPNet' stands twice; tables tell methods apart by it.",
    ),
    "size not divisible by 32": (
        {"image": {"height": 200}},
        "Setting image.height is 200; it must be a multiple of 32.",
    ),
    "fraction beside the test set": (
        {"split": {"test_fraction": 0.2}},
        "Setting split: fraction 0.9 does not fit beside a test set of 0.2; the largest possible "
        "is 0.8.",
    ),
    "fraction twice": (
        {"split": {"fractions": [0.2, 0.2]}},
        "Setting split: fractions [0.2, 0.2] name one fraction twice.",
    ),
    "two fractions of one name": (
        {"split": {"fractions": [0.2, 0.2000000001]}},
        "Setting split: fractions [0.2, 0.2000000001] name one fraction twice.",
    ),
    "preview after the end": (
        {"pretext": {"random_block_masking": {"epochs": 40}}},
        "Setting pretext.random_block_masking: preview epoch 50 is after the last epoch (40).",
    ),
    "previews out of order": (
        {"pretext": {"random_block_masking": {"preview_epochs": [10, 1]}}},
        "Setting pretext.random_block_masking: preview_epochs must rise, each epoch once.",
    ),
    "fewest above most": (
        {"pretext": {"random_block_masking": {"blocks": {"fewest": 6}}}},
        "Setting pretext.random_block_masking.blocks: fewest (6) is above most (5).",
    ),
    "unknown pretext": (
        {"methods": {"random_block_masking": {"initialisation": "jigsaw"}}},
        "Setting methods.random_block_masking.initialisation is 'jigsaw', which is neither "
        "'random' nor one of pretext: random_block_masking.",
    ),
    "no network": (
        {"methods": {"random_block_masking": {"initialisation": "random"}}},
        "Setting methods.random_block_masking starts at random and needs a model.",
    ),
    "network unlike the pretext's": (
        {"methods": {"random_block_masking": {"model": {"architecture": "unet"}}}},
        "Setting methods.random_block_masking.model differs from "
        "pretext.random_block_masking.model, whose weights it takes over; leave it out.",
    ),
    "seed twice": (
        {"seeds": [42, 42]},
        "Setting seeds [42, 42] must name each seed once, and at least one.",
    ),
    "a method without seeds": (
        {"methods": {"pspnet": {"seeds": []}}},
        "Setting methods.pspnet.seeds [] must name each seed once, and at least one.",
    ),
    "folder without path": (
        {"data": {"source": "folder"}},
        "Setting data.path is not set: data.source is 'folder', so name the folder of your",
    ),
    "an empty path": (
        {"data": {"path": " "}},
        "Setting data.path is empty; name the folder or zip of your radiographs, or leave it out.",
    ),
    "a zip for a folder": (
        {"data": {"source": "folder", "path": "my/X.ZIP"}},
        "Setting data.path is 'my/X.ZIP', a zip, but data.source is 'folder'; unpack it and name "
        "the folder.",
    ),
    "widths for a library network": (
        {"methods": {"unet": {"model": {"widths": [8, 16]}}}},
        "Setting methods.unet.model: widths has no meaning for unet; remove it.",
    ),
    "an encoder for ours": (
        {"methods": {"modified_resunet": {"model": {"encoder": "resnet18"}}}},
        "Setting methods.modified_resunet.model: encoder has no meaning for modified_resunet; "
        "remove it.",
    ),
    "options for ours beside the default encoder": (
        {"methods": {"modified_resunet": {"model": {"encoder": "resnet34", "options": {"a": 1}}}}},
        "Setting methods.modified_resunet.model: options has no meaning for modified_resunet; "
        "remove it.",
    ),
    "a channel twice": (
        {"methods": {"unet": {"model": {"inputs": ["xray", "xray"]}}}},
        "Setting methods.unet.model: inputs ['xray', 'xray'] name one channel twice.",
    ),
    "no loss": (
        {"training": {"dice_weight": 0, "bce_weight": 0}},
        "Setting training: dice_weight and bce_weight are both 0: there is no loss to minimise.",
    ),
    "ours is nobody": (
        {"report": {"ours": "sam"}},
        "Setting report.ours is 'sam', which is not one of methods: linknet, modified_resunet, "
        "pspnet, random_block_masking, unet.",
    ),
    "figures of a fraction that is not trained": (
        {"report": {"figure_fraction": 0.5}},
        "Setting report.figure_fraction is 0.5, which is not one of split.fractions: 0.1, 0.2, "
        "0.3, 0.8, 0.9.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_sentence_with_the_path_and_what_is_allowed(mistake):
    overlay, expected = MISTAKES[mistake]
    sentence = refused(**overlay)
    assert sentence.startswith(expected), sentence
    assert "\n" not in sentence and sentence.endswith((".", "?"))


def test_several_mistakes_are_several_sentences():
    sentence = refused(trainin={}, compute={"threads": 0})
    assert len(sentence.splitlines()) == 2


def test_a_file_without_a_mapping_is_one_sentence():
    with pytest.raises(InputError, match=r"^Settings are \[1\]; it must be a mapping"):
        validate([1], Settings)


def test_missing_sections_are_named():
    with pytest.raises(InputError, match=r"Setting pretext is missing; add it\."):
        validate({"methods": paper()["methods"]}, Settings)


# --- What stages get ---

KEYS = {"method": "unet", "pretext": "random_block_masking", "fraction": "0.2", "seed": "42"}
KEYS |= {"stage": "train", "entry": "unet"}
JOBS = {
    jobs.PhantomJob: (),
    jobs.FetchJob: (),
    jobs.IndexJob: (),
    jobs.PrepareJob: (),
    jobs.GuardJob: (),
    jobs.SplitJob: ("fraction", "seed"),
    jobs.SplitPretextJob: (),
    jobs.DescribeJob: (),
    jobs.MeasureJob: ("stage", "entry"),
    jobs.PretrainJob: ("pretext",),
    jobs.ReconstructJob: ("pretext",),
    jobs.TrainJob: ("method", "fraction", "seed"),
    jobs.EvaluateJob: ("method", "fraction", "seed"),
    jobs.LpipsJob: (),
    jobs.ReportJob: (),
}

#: A changed setting, and the jobs that must not notice.
UNRELATED = {
    "most problems": ({"data": {"most_problems": 0.2}}, set(JOBS) - {jobs.IndexJob}),
    "title": ({"data": {"title": "Other"}}, set(JOBS) - {jobs.ReportJob}),
    "samples": ({"report": {"samples": 2}}, set(JOBS) - {jobs.ReportJob, jobs.ReconstructJob}),
    "label": ({"methods": {"unet": {"label": "U"}}}, set(JOBS) - {jobs.ReportJob}),
    "threshold": (
        {"evaluation": {"threshold": 0.4}},
        set(JOBS) - {jobs.EvaluateJob, jobs.ReportJob},
    ),
    "tolerance": (
        {"evaluation": {"boundary_tolerance": 3}},
        set(JOBS) - {jobs.EvaluateJob, jobs.ReportJob},
    ),
    "resamples": ({"report": {"bootstrap_resamples": 500}}, set(JOBS) - {jobs.ReportJob}),
    "training": ({"training": {"epochs": 3}}, set(JOBS) - {jobs.TrainJob, jobs.MeasureJob}),
    "masks of the metrics": ({"evaluation": {"mask_seed": 9}}, set(JOBS) - {jobs.ReconstructJob}),
    "another method": (
        {"methods": {"pspnet": {"model": {"encoder": "resnet18"}}}},
        set(JOBS),
    ),
    "another method's seeds": ({"methods": {"pspnet": {"seeds": [1]}}}, set(JOBS)),
    "phantom": ({"data": {"phantom": {"seed": 2}}}, set(JOBS) - {jobs.PhantomJob}),
    "study": ({"study": "other"}, set(JOBS)),
    "another fraction": ({"split": {"fractions": [0.2, 0.5]}}, set(JOBS)),
    "lpips": ({"evaluation": {"lpips": "off"}}, set(JOBS) - {jobs.LpipsJob}),
}


def cut(job, study):
    return job.of(study, **{key: KEYS[key] for key in JOBS[job]})


def test_every_job_is_listed_here():
    known = {value for name, value in vars(jobs).items() if name.endswith("Job")}
    assert known == {*JOBS, jobs.PageJob}  # which shows all settings of a study


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_a_job_is_cut_from_the_paper_and_travels_as_json(job):
    cut_out = cut(job, settings())
    assert job.model_validate_json(cut_out.model_dump_json()) == cut_out


@pytest.mark.parametrize("change", UNRELATED)
def test_a_job_does_not_change_with_settings_that_it_does_not_depend_on(change):
    overlay, unaffected = UNRELATED[change]
    before, after = settings(), settings(**overlay)
    noticed = {job.__name__ for job in JOBS if cut(job, before) != cut(job, after)}
    assert noticed & {job.__name__ for job in unaffected} == set()


@pytest.mark.parametrize(
    ("overlay", "job"),
    [
        ({"image": {"height": 128}}, jobs.PrepareJob),
        ({"data": {"masks": "teeth"}}, jobs.PrepareJob),
        ({"split": {"test_seed": 1}}, jobs.SplitJob),
        ({"split": {"test_seed": 1}}, jobs.SplitPretextJob),
        ({"pretext": {"random_block_masking": {"blocks": {"most": 4}}}}, jobs.PretrainJob),
        ({"pretext": {"random_block_masking": {"blocks": {"most": 4}}}}, jobs.ReconstructJob),
        ({"training": {"dice_weight": 0.5}}, jobs.TrainJob),
        ({"methods": {"unet": {"model": {"encoder": "resnet18"}}}}, jobs.TrainJob),
        ({"methods": {"unet": {"model": {"encoder": "resnet18"}}}}, jobs.EvaluateJob),
        ({"evaluation": {"threshold": 0.4}}, jobs.EvaluateJob),
        ({"evaluation": {"boundary_tolerance": 3}}, jobs.EvaluateJob),
        ({"compute": {"precision": "float32"}}, jobs.TrainJob),
        ({"report": {"ours": "unet"}}, jobs.ReportJob),
    ],
)
def test_a_job_changes_with_the_settings_that_it_depends_on(overlay, job):
    assert cut(job, settings(**overlay)) != cut(job, settings())
