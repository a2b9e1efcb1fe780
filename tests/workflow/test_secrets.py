"""A Kaggle key is planted; nothing that a fetch leaves behind holds it."""

import base64
import json
import os
import threading

import pytest
from hitl_zip import Server

pytestmark = pytest.mark.workflow
USER, KEY = "plantedname", "0123456789abcdefPLANTED0123456789"
#: The key, and the beginning of what the client sends.
FORMS = (KEY.encode(), base64.b64encode(f"{USER}:{KEY}".encode())[:-4])
#: Only the stage's own process talks to the loopback server in Kaggle's place.
SITE = """
import os, sys
if "fetch" in sys.orig_argv:
    from kagglesdk import kaggle_env
    kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = os.environ["LOOPBACK_KAGGLE"]
"""


def refuse(handler):
    """Answer with an error that repeats what was sent, as a careless server may."""
    content = {"code": 401, "message": f"bad {handler.headers['Authorization']} {KEY}"}
    handler.answer(401, json.dumps(content).encode(), Content_Type="application/json")


def holding(content: bytes) -> bool:
    return any(form in content for form in FORMS)


@pytest.mark.parametrize(
    ("environment", "script", "sentence"),
    [
        ({"KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY, "VERBOSE": "1"}, [], None),
        ({}, [refuse], "HTTP 401"),
    ],
    ids=["the environment, verbose", "a file, refused"],
)
def test_a_kaggle_key_is_nowhere_in_what_a_fetch_leaves(
    new_project, tmp_path, monkeypatch, environment, script, sentence
):
    for name in [name for name in os.environ if name.startswith(("KAGGLE", "VERBOSE"))]:
        monkeypatch.delenv(name)
    for name in ("site", "place/project", "place/home/.kaggle", "place/tmp"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "site/sitecustomize.py").write_text(SITE)
    place, planted = tmp_path / "place", tmp_path / "place/home/.kaggle/kaggle.json"
    if not environment:
        planted.write_text(json.dumps({"username": USER, "key": KEY}))
        planted.chmod(0o600)
    project = new_project(place / "project")
    (project.folder / "tiny.yaml").write_text(
        "study: tiny\ndata: {source: hitl, download: kaggle}\n"
    )
    project.settings = ["config/paper.yaml", "tiny.yaml"]
    with Server() as server:
        server.script = list(script)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        project.environment = environment | {
            "PYTHONPATH": str(tmp_path / "site"),
            "HOME": str(place / "home"),
            "TMPDIR": str(place / "tmp"),
            "LOOPBACK_KAGGLE": server.url,
        }
        try:
            printed = project.snakemake(
                "results/tiny/data/raw", "--printshellcmds", "--verbose", check=False
            )
        finally:
            server.shutdown()
            thread.join()
    assert server.asked and any(FORMS[1].decode() in sent for _, sent in server.asked)
    assert (project.results / "data/raw/Teeth Segmentation JSON").is_dir() == (sentence is None)
    assert sentence is None or sentence in printed
    files = [path for path in place.rglob("*") if path.is_file() and path != planted]
    assert len(files) > 20 and not holding(printed.encode())
    assert [f for f in files if holding(str(f).encode() + f.read_bytes())] == []
