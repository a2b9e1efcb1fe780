"""Plans: reasons in words, and estimates from what was measured."""

import json
import shlex
from argparse import Namespace
from types import SimpleNamespace

import pytest

from maskedteeth.cli import main
from maskedteeth.settings.config import Settings
from maskedteeth.study import estimate
from maskedteeth.study.archive import size
from maskedteeth.study.plan import command_of, why
from maskedteeth.study.processes import processor


def reason(**fields):
    nothing = dict.fromkeys(("forced", "code_changed", "input_changed", "software_stack_changed"))
    nothing |= dict.fromkeys(("incomplete_output", "missing_output"), ())
    nothing |= {"updated_input": set(), "updated_input_run": set(), "params_changed": None}
    return SimpleNamespace(**(nothing | fields))


SMALL = {
    "pretext": {},
    "methods": {"unet": {"label": "U-Net", "model": {"architecture": "unet"}}},
    "report": {"ours": "unet"},
}


def params(old, new):
    return SimpleNamespace(only_old=set(map(repr, old)), only_new=set(map(repr, new)))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"forced": True}, "you ask for it"),
        ({"incomplete_output": {"a"}, "missing_output": {"a"}}, "was stopped before its end"),
        ({"missing_output": {"a"}, "updated_input_run": {"b"}}, "not made yet"),
        ({"updated_input_run": {"b"}}, "what it is made from is made again"),
        ({"updated_input": {"b"}}, "changed: b"),
        ({"updated_input": set("dcbae")}, "changed: a, b, c and 2 more"),
        ({"input_changed": True}, "it gets other input files"),
        (
            {"params_changed": params(['{"epochs": 1, "x": 2}'], ['{"epochs": 3, "x": 2}'])},
            "epochs 1 → 3",
        ),
        ({"params_changed": params(["cf238746f01e7761"], ["0" * 16])}, "its code has changed"),
        (
            {"params_changed": params(['{"model": {"a": 1}}'], ['{"model": {"a": 1, "b": "y"}}'])},
            'model.b – → "y"',
        ),
        ({"params_changed": params(["a"], ["b"])}, "its parameters have changed"),
    ],
)
def test_reasons_are_said_in_words(fields, words):
    assert why(reason(**fields)) == words


def study(**settings):
    return Settings(study="s", **(SMALL | settings))


def test_radiographs_are_known_from_the_index_the_phantom_or_the_paper(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert estimate.radiographs(study()) == 598
    drawn = study(data={"source": "phantom", "phantom": {"images": 12}})
    assert estimate.radiographs(drawn) == 12
    assert estimate.radiographs(study(data={"source": "folder", "path": "x"})) is None
    index = tmp_path / "results" / "s" / "data" / "index.csv"
    index.parent.mkdir(parents=True)
    index.write_text("id\n1\n2\n3\n")
    assert estimate.radiographs(drawn) == 3


def test_a_rate_counts_only_for_the_same_network_size_and_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"model": {"architecture": "unet"}, "batch_size": 4}
    settings["compute"] = {"precision": "auto", "threads": 2}
    record = {"device": "here", "steps": 10, "training_seconds": 5.0, "settings": settings}
    record["radiographs"] = [8, 32, 64]
    for seed, change in enumerate([{}, {"training_seconds": 7.0}, {"device": "elsewhere"}]):
        run = tmp_path / f"results/pretext/runs/pretext/fraction-0.2/seed-{seed}/run.json"
        run.parent.mkdir(parents=True)
        run.write_text(json.dumps(record | change))
    rates = estimate.seconds_per_step("here")
    assert rates == {estimate._key("train", settings, 32, 64): 0.6}
    assert estimate._key("train", settings, 64, 64) not in rates
    assert estimate._key("train", settings | {"batch_size": 8}, 32, 64) not in rates


def test_another_workflow_cannot_be_planned(tmp_path, monkeypatch, capsys):
    (tmp_path / "Snakefile").write_text("rule all:\n    output: 'x'\n    shell: 'touch x'\n")
    monkeypatch.chdir(tmp_path)
    assert main(["plan"]) == 2
    said = capsys.readouterr().err
    assert "Snakefile is another workflow" in said and "snakemake --dry-run" in said
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "targets", "cores", "command"),
    [
        ("", [], None, "snakemake measure --cores 1"),
        (
            "table2 --configfile my.yaml 'its own.yaml'",
            ["table2"],
            None,
            "snakemake measure --cores 1 --configfile my.yaml 'its own.yaml'",
        ),
        ("--cores 2 table2 figure6 -n", ["table2", "figure6"], 2, "snakemake measure --cores 2 -n"),
        ("--profile profiles/gpu", [], 16, "snakemake measure --profile profiles/gpu"),
    ],
)
def test_advice_is_a_command_for_the_same_study(arguments, targets, cores, command):
    options = Namespace(targets=targets, cores=cores)
    assert command_of(shlex.split(arguments), options)("measure") == command


def evaluation(fraction):
    return SimpleNamespace(
        rule=SimpleNamespace(name="evaluate"), wildcards=SimpleNamespace(fraction=fraction)
    )


@pytest.mark.parametrize(
    ("protocol", "budget", "steps", "tested"),
    [
        ("fixed-test", "equal-steps", 180, 10),
        ("fixed-test", "equal-epochs", 60, 10),
        ("complement", "equal-steps", 200, 70),
        ("complement", "equal-epochs", 60, 70),
    ],
)
def test_how_many_train_and_test_is_as_the_protocol_says(protocol, budget, steps, tested):
    settings = {"budget": budget, "fraction": 0.3, "epochs": 8, "batch_size": 4}
    mine = study(split={"protocol": protocol, "test_fraction": 0.1})
    assert estimate.steps(settings, mine, 100) == steps
    assert estimate.tested(evaluation("0.3"), mine, 100) == tested
    settings.pop("budget")  # of a pretext, which has none
    assert estimate.steps(settings, mine, 100) == (180 if protocol == "fixed-test" else 200)


def test_predictions_are_counted_for_each_evaluation(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = study(
        split={"protocol": "complement"},
        image={"height": 32, "width": 64},
        data={"source": "phantom", "phantom": {"images": 50}},
    )
    lines = estimated(mine, [evaluation("0.2"), evaluation("0.8")])
    assert lines[-1] == f"  about {size(50 * 32 * 64)} of disk: predictions (at most) 102.4 kB"


def training(needs):
    settings = {"model": {"architecture": "unet"}, "batch_size": 4, "epochs": 2}
    settings["compute"] = {"precision": "auto", "threads": 2}
    return SimpleNamespace(
        rule=SimpleNamespace(name="train"),
        params=SimpleNamespace(settings=json.dumps(settings)),
        input=SimpleNamespace(needs=needs),
        wildcards={"method": "unet"},
    )


def estimated(study, jobs):
    return estimate.estimate(study, jobs, "run {}".format)


def test_a_measured_rate_is_taken_where_it_was_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "")  # no nvidia-smi
    mine = study(image={"height": 32, "width": 64}, data={"source": "phantom"})
    file = tmp_path / "needs.json"
    lines = "\n".join(estimated(mine, [training(file)]))
    assert "no rate measured yet of: 1 unet" in lines and "weights of 1 trainings" in lines
    assert "\n    run measure\n" in lines
    needs = {"device": processor(), "seconds_per_step": 2.0, "weights_bytes": 5 << 20}
    file.write_text(json.dumps(needs))
    lines = "\n".join(estimated(mine, [training(file)] * 3))
    # 2 epochs of 54 of 60 radiographs, 4 a step: 27 steps, of 2 seconds, with 2 threads
    assert "about 5 min of CPU time for 3 trainings (3 min one after another" in lines
    assert "weights 15" in lines
    file.write_text(json.dumps(needs | {"device": "elsewhere"}))
    assert "no rate measured yet" in "\n".join(estimated(mine, [training(file)]))
    unknown = study(image={"height": 32, "width": 64}, data={"source": "folder", "path": "x"})
    assert "    run index" in estimated(unknown, [training(file)])
