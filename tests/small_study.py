"""A small study to be moved: its files, and what Snakemake knows about them."""

from maskedteeth.study.records import Record

INDEX, RAW, TABLE = (
    f"results/tiny/{n}" for n in ("data/index.csv", "data/raw", "tables/table2.md")
)
WEIGHTS = "results/tiny/lpips.safetensors"
CONTENT = {INDEX: b"id\n1\n", f"{RAW}/.snakemake_timestamp": b"", f"{RAW}/1.png": b"\0" * 3000}
CONTENT |= {TABLE: b"| 0.9 |\n", "results/tiny/logs/index.log": b"", WEIGHTS: b"weights"}
LEFT_OUT = ("results/tiny/runs/unet/weights.state/state.safetensors", "results/downloads/set.zip")
LEFT_OUT += ("results/tiny/data/.images.abc.npy", "results/other/data/index.csv")
LEFT_OUT += ("results/.import-old/data/index.csv",)


def record(rule, *inputs):
    checksums = {path: "sha256:" + 64 * "0" for path in inputs}
    values = {"rule": rule, "input": list(inputs), "log": [], "shellcmd": f"make {rule}"}
    values |= {"params": ["'x'"], "code": "c", "record_format_version": 6, "conda_env": None}
    values |= {"container_img_url": None, "software_stack_hash": "d", "starttime": 1.0}
    return Record(**values, endtime=2.0, input_checksums=checksums)


RECORDS = {RAW: record("fetch", "results/downloads/set.zip"), INDEX: record("index", RAW)}
RECORDS |= {TABLE: record("table2", INDEX, WEIGHTS), WEIGHTS: record("lpips")}
