"""`maskedteeth why FILE`: how the numbers in a file came about.

Everything is read from the ``run.json`` and ``evaluation.json`` beside each result; of the latter
only what the former does not say as well is printed. What all runs have in common is printed once;
what differs goes into a table by the least that it depends on: by method where the method decides
it, by fraction, by seed, or else by run.
"""

from pathlib import Path
from typing import Any

from maskedteeth.errors import InputError
from maskedteeth.files import read_json
from maskedteeth.report.mixtures import EVALUATION, mixtures, short
from maskedteeth.study.nesting import flat

#: Keys of run.json that say what a run cost, with their names and formats in print.
COSTS = {
    "seconds": ("seconds", "{:.1f}"),
    "images_per_second": ("images/s", "{:.1f}"),
    "peak_memory_mib": ("memory MiB", "{:.0f}"),
    "peak_device_memory_mib": ("device memory MiB", "{:.0f}"),
}
EVALUATION_SECONDS = "evaluation.seconds"
#: Keys that a run's name repeats.
NAMES = ["seed", "settings.seed", "settings.fraction"]
#: Folders of results, and how far above them their study lies.
PLACES = {"pretext/*": 1, "runs/*/fraction-*/seed-*": 3}
#: Parts of a run's name that may decide a value, fewest first.
KEYS = (("method",), ("fraction",), ("seed",), ("fraction", "seed"))

Records = dict[Path, dict[str, Any]]


def why(path: Path, /) -> None:
    """Print how the numbers in a file came about: settings, seeds, code, data, machine and cost.

    Args:
        path: a table or figure of a study, or a file in the folder of a run or of a pretext.

    Raises:
        InputError: there is no such file, or nothing is known of where it comes from.
    """
    study, folders = sources(path)
    records = {folder: _record(study / folder) for folder in folders}
    runs = {folder: record for folder, record in records.items() if folder.parts[0] == "runs"}
    pretexts = {folder: record for folder, record in records.items() if folder not in runs}
    print(f"{path}: {_count(runs, 'run')}, {_count(pretexts, 'pretext')}, study {study.name}")
    if not records:
        print("It holds no number of a run.")
    for folder, record in pretexts.items():
        print(f"\nPretext {folder.name}\n" + _listed(flat(record)))
    if runs:
        print("\n" + describe(runs))
    files = [study / folder / name for folder in records for name in ("run.json", EVALUATION)]
    differences = mixtures([file for file in files if file.is_file()])
    if differences:
        print(f"\n{differences}")


def _record(folder: Path) -> dict[str, Any]:
    """Return a run's record, and in it as ``evaluation`` what its evaluation's says besides."""
    record = read_json(folder / "run.json", keys=())
    if (folder / EVALUATION).is_file():
        known = flat(record)
        known["inputs_sha256.weights"] = record.get("weights_sha256")
        evaluation = flat(read_json(folder / EVALUATION))
        besides = {key: evaluation[key] for key in evaluation if key not in COSTS}
        besides = {key: value for key, value in besides.items() if value != known.get(key)}
        record["evaluation"] = besides | {"seconds": evaluation.get("seconds")}
    return record


def sources(path: Path) -> tuple[Path, list[Path]]:
    """Return the study's folder and, within it, the folders of the runs behind a file.

    A run that starts from a pretext brings that along, told by the digest of its weights.

    Raises:
        InputError: as :func:`why`.
    """
    path = Path.cwd() / path  # not resolved: results may be links into a cluster's store
    if not path.exists():
        raise InputError(f"{path} does not exist; name a file that was made.")
    folder = path if path.is_dir() else path.parent
    above = [height for place, height in PLACES.items() if folder.match(place)]
    if above and (folder / "run.json").is_file():
        study = folder.parents[above[0]]
        found = [folder.relative_to(study)]
    elif folder.name in ("tables", "figures"):
        study, listing = folder.parent, folder.parent / "sources" / f"{path.stem}.txt"
        if not listing.is_file():
            raise InputError(
                f"{listing}, which says what {path.name} is made from, does not exist. It is "
                "written with the file: run the Snakemake command that made it once more, and take "
                "the folder `sources` along when you move results."
            )
        found = [Path(line) for line in listing.read_text(encoding="utf-8").splitlines() if line]
    else:
        raise InputError(
            f"{path} is neither a table or figure nor a result of a run, which lies beside a "
            "run.json in pretext/NAME or runs/METHOD/fraction-F/seed-S. Name a file in tables/, "
            "figures/, or a folder of runs/ or pretext/."
        )
    return study, list(dict.fromkeys([*found, *_pretexts_of(study, found)]))


def _pretexts_of(study: Path, folders: list[Path]) -> list[Path]:
    from maskedteeth.provenance import sha256

    wanted = {
        read_json(study / folder / "run.json").get("inputs_sha256", {}).get("pretext")
        for folder in folders
    }
    weights = (study / "pretext").glob("*/weights.safetensors") if wanted - {None} else ()
    return [file.parent.relative_to(study) for file in sorted(weights) if sha256(file) in wanted]


def describe(runs: Records) -> str:
    """Describe runs: what they share, what differs by what, and what each cost.

    Args:
        runs: run.json of each by its folder, `runs/<method>/fraction-<f>/seed-<s>`.
    """
    import pandas as pd

    names = pd.DataFrame([_name(folder) for folder in runs])
    values = pd.DataFrame([flat(record) for record in runs.values()], dtype=object)
    if len(runs) > 1:  # their names say it
        values = values.drop(columns=NAMES, errors="ignore")
    alone = {*COSTS, EVALUATION_SECONDS} if len(runs) > 1 else COSTS
    shared = [key for key in values if values[key].map(repr).nunique() == 1 and key not in alone]
    parts = []
    if shared:
        title = f"All {len(runs)} runs" if len(runs) > 1 else f"Run {next(iter(runs))}"
        parts.append(f"{title}\n" + _listed(values.iloc[0][shared].to_dict()))
    by: dict[tuple[str, ...], list[str]] = {}
    for key in values:
        if key not in (*shared, *COSTS, EVALUATION_SECONDS):
            by.setdefault(_decided_by(values[key].map(repr), names), []).append(key)
    costs = [key for key in COSTS if key in values and values[key].notna().any()]
    by.setdefault(tuple(names), []).extend(costs if len(runs) > 1 else [])
    if len(runs) == 1:
        parts[-1] += "\n" + _listed({key: values.iloc[0][key] for key in costs})
    for keys, columns in sorted(by.items(), key=lambda item: len(item[0])):
        if columns:
            table = names[list(keys)].join(values[columns]).drop_duplicates(list(keys))
            table[columns] = table[columns].apply(lambda column: column.map(_printer(column.name)))
            table = table.rename(columns=lambda key: COSTS.get(key, (key,))[0])
            table = table.rename(columns=lambda key: key.removeprefix("settings."))
            title = "By " + " and ".join(keys)
            body = table.to_markdown(index=False, disable_numparse=True)
            parts.append(f"{title}\n{body}")
    if len(runs) > 1 and "seconds" in values:
        total = pd.to_numeric(values["seconds"]).sum()
        parts.append(f"Together {total:.0f} seconds of training, {total / 3600:.2f} hours")
        if EVALUATION_SECONDS in values:
            parts[-1] += (
                f", and {pd.to_numeric(values[EVALUATION_SECONDS]).sum():.0f} of evaluation"
            )
    return "\n\n".join(parts)


def _name(folder: Path) -> dict[str, str]:
    _, method, fraction, seed = folder.parts
    return {
        "method": method,
        "fraction": fraction.removeprefix("fraction-"),
        "seed": seed.removeprefix("seed-"),
    }


def _decided_by(values, names) -> tuple[str, ...]:
    """Return the fewest parts of a run's name that decide a value."""
    for keys in KEYS:
        if (values.groupby([names[key] for key in keys]).nunique() == 1).all():
            return keys
    return tuple(names)


def _listed(values: dict[str, Any]) -> str:
    """List values a line for each part of the record: `settings: epochs 80, batch_size 8`."""
    lines: dict[str, list[str]] = {}
    for key, value in values.items():
        part, _, name = key.partition(".")
        if name:
            lines.setdefault(part, []).append(f"{name} {_printer(key)(value)}")
        else:
            lines[COSTS.get(part, (part,))[0]] = [_printer(key)(value)]
    return "\n".join(f"  {part}: {', '.join(texts)}" for part, texts in lines.items())


def _printer(key: str):
    form = COSTS[key][1] if key in COSTS else None

    def text(value: Any) -> str:
        if value is None or value != value:
            return "–"
        return form.format(value) if form else short(value)

    return text


def _count(items: Records, word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}"
