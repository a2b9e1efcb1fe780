"""Files from elsewhere: damaged, of another kind, or made to harm."""

import ast
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from damages import DAMAGES

import maskedteeth

PACKAGE = Path(maskedteeth.__file__).parent

# --- Nothing from outside is executed ---

#: Calls that run what a file or a text says, by the end of their dotted names.
HARMFUL = {
    ("pickle", "load"),
    ("pickle", "loads"),
    ("pickle", "Unpickler"),
    ("marshal", "loads"),
    ("shelve", "open"),
    ("joblib", "load"),
    ("yaml", "load"),
    ("yaml", "unsafe_load"),
    ("yaml", "full_load"),
    ("pd", "read_pickle"),
    ("eval",),
    ("exec",),
    ("os", "system"),
}


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            parts, target = [], node.func
            while isinstance(target, ast.Attribute):
                parts, target = [target.attr, *parts], target.value
            yield (target.id if isinstance(target, ast.Name) else "?", *parts), node


def harmful(tree):
    found = []
    for name, node in calls(tree):
        options = {word.arg: word.value for word in node.keywords}
        true = {key for key, value in options.items() if getattr(value, "value", None) is True}
        if (
            name[-2:] in HARMFUL
            or (
                (name[-1] in ("load", "load_state_dict_from_url") and name[0] == "torch")
                and "weights_only" not in true
            )
            or "allow_pickle" in true
            or "shell" in true
        ):
            found.append(ast.unparse(node))
    return found


def bases(tree):
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {node.name: [ast.unparse(base) for base in node.bases] for node in classes}


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=lambda f: f.stem)
def test_no_module_executes_what_it_reads(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert harmful(tree) == []
    unpicklers = [name for name, of in bases(tree).items() if "pickle.Unpickler" in of]
    assert unpicklers == (["NumpyUnpickler"] if file.stem == "lpips_weights" else [])


@pytest.mark.parametrize(
    "line",
    [
        "pickle.loads(x)",
        "torch.load(x)",
        "torch.load(x, weights_only=False)",
        "torch.hub.load_state_dict_from_url(x)",
        "np.load(x, allow_pickle=True)",
        "yaml.load(x, Loader)",
        "eval(x)",
        "subprocess.run(x, shell=True)",
    ],
)
def test_the_search_finds_what_it_looks_for(line):
    assert harmful(ast.parse(line)) == [line]
    assert harmful(ast.parse("torch.load(x, weights_only=True); np.load(x); net.eval()")) == []


class Bomb:
    """A pickle of it makes a folder when it is read."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return (os.mkdir, (str(self.folder),))


@pytest.mark.parametrize("name", ["images.npy", "weights.safetensors", "split.json", "index.csv"])
def test_a_pickle_under_any_name_is_refused_and_not_run(study, tmp_path, capsys, name):
    file = tmp_path / name
    file.write_bytes(pickle.dumps(Bomb(tmp_path / "bang")))
    assert run(study, "evaluate", tmp_path, name, file) == 2
    assert str(file) in capsys.readouterr().err and not (tmp_path / "bang").exists()


def test_an_array_of_objects_is_refused_and_not_run(study, tmp_path, capsys):
    file = tmp_path / "images.npy"
    np.save(file, np.array([Bomb(tmp_path / "bang")], dtype=object), allow_pickle=True)
    assert run(study, "evaluate", tmp_path, "images.npy", file) == 2
    assert str(file) in capsys.readouterr().err and not (tmp_path / "bang").exists()


# --- Every input of every stage, damaged in every way ---

#: Stage → the files that it reads, by the name in the study.
INPUTS = {
    "prepare": ["index.csv"],
    "split": ["index.csv"],
    "split-pretext": ["index.csv"],
    "guard": ["index.csv", "images.npy"],
    "pretrain": ["images.npy", "index.csv", "pretext/split.json", "guard.json"],
    "train": ["images.npy", "masks.npy", "index.csv", "split.json", "guard.json"]
    + ["pretext/weights.safetensors"],
    "evaluate": ["images.npy", "masks.npy", "index.csv", "split.json", "weights.safetensors"],
    "measure-pretext": ["images.npy", "index.csv", "pretext/split.json"]
    + ["pretext/weights.safetensors", "pretext/lpips.safetensors"],
}
OUTPUTS = "weights history previews run metrics predictions evaluation fillers samples"


def run(study, stage, folder, name, file):
    """Run a stage of the finished study with one file in another's place, into a folder."""
    flags = {"guard": study / "guard.json"} if stage in ("pretrain", "train") else {}
    if stage == "train":
        flags["pretext"] = study / "pretext/weights.safetensors"
    reads = {Path(n).stem for n in INPUTS[stage]}
    if stage == "train":
        reads -= {"weights"}
    for output in OUTPUTS.split():
        if any(Path(n).stem == output for n in study.files(stage)) and output not in reads:
            flags[output] = folder / f"out-{output}"
    if stage in ("split", "split-pretext"):
        flags["split"] = folder / "out-split.json"
    if stage == "prepare":
        flags |= {"images": folder / "out-images.npy", "masks": folder / "out-masks.npy"}
    if stage == "guard":
        flags |= {"guard": folder / "out-guard.json"}
    read_as = "pretext" if stage == "train" and "weights" in name else Path(name).stem
    return study.run(stage, **(flags | {read_as: file}))


@pytest.fixture(scope="session")
def complete(study):
    """The study with a guard and with a pretext that was measured."""
    assert study.run("guard") == 0
    assert study.run("lpips-weights") == 0
    return study


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(("stage", "name"), [(s, n) for s, names in INPUTS.items() for n in names])
def test_a_damaged_file_is_one_sentence_that_names_it(
    complete, tmp_path, capsys, stage, name, damage
):
    file = tmp_path / Path(name).name
    DAMAGES[damage](complete / name, file)
    status = run(complete, stage, tmp_path, name, file)
    printed = capsys.readouterr().err
    assert status == 2, printed
    assert str(file) in printed, printed
    assert "Traceback" not in printed
    assert not list(tmp_path.glob("out-*")), "something was written"
