"""A Kaggle key is planted; nothing that a fetch leaves behind holds it."""

import base64
import gzip
import json
import os
import re
import threading
from pathlib import Path

import pytest
from hitl_zip import ZIP, Server

pytestmark = pytest.mark.workflow
USER, KEY = "plantedname", "0123456789abcdefPLANTED0123456789"
TOKEN = "KGAT_PLANTEDtoken0123456789abcdef"
#: Only the stage's own process talks to the loopback server in Kaggle's place.
SITE = """
import os, sys
if "fetch" in sys.orig_argv:
    from kagglesdk import kaggle_env
    kaggle_env._env_to_endpoint[kaggle_env.KaggleEnv.PROD] = os.environ["LOOPBACK_KAGGLE"]
"""


def refuse(status, **headers):
    """Answer with an error that repeats what was sent, as a careless server may."""

    def step(handler):
        content = {"code": status, "message": f"bad {handler.headers['Authorization']} {KEY}"}
        handler.answer(status, json.dumps(content).encode(), Content_Type="application/json")

    return step


def redirect_with_secret(handler):
    handler.answer(302, b"", Location=f"http://localhost:1/x?X-Signature={KEY}")


JSON = {".kaggle/kaggle.json": json.dumps({"username": USER, "key": KEY})}
ENVIRONMENT = {"KAGGLE_USERNAME": USER, "KAGGLE_KEY": KEY}
#: Case → files of the home, environment, what Kaggle answers, and what is read.
CASES = {
    "a file": (JSON, {}, [], None),
    "the environment, verbose": ({}, {**ENVIRONMENT, "VERBOSE": "1"}, [], None),
    "refused": (JSON, {}, [refuse(401)], "HTTP 401"),
    "redirected": (JSON, {}, [redirect_with_secret], "could not be downloaded from Kaggle"),
    "damaged file": ({".kaggle/kaggle.json": KEY}, {}, [], "No valid Kaggle credentials"),
}


def forms(secret):
    """Ways in which a secret may be written down."""
    pairs = (secret.encode(), f"{USER}:{secret}".encode())
    # Without their ends, which depend on what follows.
    encoded = [base64.b64encode(pair)[:-4] for pair in pairs]
    return {secret.encode(), *encoded, *(pair.hex().encode() for pair in pairs)}


FORMS = forms(KEY) | forms(TOKEN)


URLSAFE = bytes.maketrans(b"+/", b"-_")


def layers(content):
    """A content and what is packed or encoded in it."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    for word in re.findall(rb"[A-Za-z0-9+/_-]{16,}", content)[:100_000]:
        whole = word[:-1] if len(word) % 4 == 1 else word
        yield base64.urlsafe_b64decode(whole.translate(URLSAFE) + b"===")


def holding(content):
    return any(form in layer for layer in layers(content) for form in FORMS)


def search(folder, planted):
    """Names of files below a folder that hold a secret, in name or content."""
    found = []
    for path in folder.rglob("*"):
        if path in planted or path.is_symlink():
            continue
        if holding(str(path.relative_to(folder)).encode()) or (
            path.is_file() and path.read_bytes() != ZIP and holding(path.read_bytes())
        ):
            found.append(path)
    return found


class Watching(Server):
    """Looks at the command lines of all processes while a fetch talks to it."""

    def __init__(self):
        self.command_lines, self.environments = [], {}
        super().__init__()

    def process_request(self, request, client_address):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                self.command_lines.append(command)
                if b"fetch" in command:
                    self.environments[command] = (process / "environ").read_bytes()
            except OSError:
                continue  # it has ended, or is another user's
        super().process_request(request, client_address)


def test_the_search_finds_what_is_hidden(tmp_path):
    basic = base64.b64encode(f"{USER}:{KEY}".encode())
    for number, content in enumerate(
        [KEY.encode(), basic, gzip.compress(b"x" + KEY.encode()), base64.b64encode(TOKEN.encode())]
    ):
        (tmp_path / str(number)).write_bytes(b"before " + content if number != 2 else content)
    (tmp_path / base64.b64encode(f"results/{KEY}".encode()).decode()).touch()
    (tmp_path / "harmless").write_text("plantedname")
    assert len(search(tmp_path, ())) == 5


@pytest.mark.parametrize("case", CASES)
def test_a_kaggle_key_is_nowhere_in_what_a_fetch_leaves(new_project, tmp_path, monkeypatch, case):
    files, environment, script, sentence = CASES[case]
    for name in [name for name in os.environ if name.startswith(("KAGGLE", "VERBOSE"))]:
        monkeypatch.delenv(name)
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SITE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    place = tmp_path / "place"
    for name in ("project", "home", "tmp"):
        (place / name).mkdir(parents=True)
    project = new_project(place / "project")
    (project.folder / "tiny.yaml").write_text(
        "study: tiny\ndata: {source: hitl, download: kaggle}\n"
    )
    project.settings = ["config/paper.yaml", "tiny.yaml"]
    planted = [place / "home" / name for name in files]
    for file, content in zip(planted, files.values(), strict=True):
        file.parent.mkdir(exist_ok=True)
        file.write_text(content)
        file.chmod(0o600)
    with Watching() as server, monkeypatch.context() as patch:
        server.script = list(script)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(place / "home"))
        patch.setenv("TMPDIR", str(place / "tmp"))
        patch.setenv("LOOPBACK_KAGGLE", server.url)
        raw = "results/tiny/data/raw"
        try:
            printed = project.snakemake(raw, "--printshellcmds", "--verbose", check=False)
        finally:
            server.shutdown()
            thread.join()
    fetched = (project.folder / raw / "Teeth Segmentation JSON").is_dir()
    assert fetched == (sentence is None), printed
    if sentence:
        assert re.search(f"maskedteeth fetch: .*{sentence}", printed), printed
    log = (project.results / "logs" / "fetch.log").read_text()
    assert "Traceback" not in log
    assert not holding(printed.encode())
    assert search(place, planted) == []
    if server.asked:
        assert any(b"fetch" in line for line in server.command_lines), "nothing was watched"
    assert not any(holding(line) for line in server.command_lines)
    if files:  # what is read from a file is put into no environment either
        assert not any(holding(e) for e in server.environments.values())
