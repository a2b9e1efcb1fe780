import csv
import json
import os
import socket
import threading

import cv2
import numpy as np
import pytest
from hitl_zip import ZIP, Server

from maskedteeth.data.prepare import prepare
from maskedteeth.settings.config import Image, Layout


def rows_of(file):
    with file.open(newline="", encoding="utf-8") as content:
        return list(csv.DictReader(content))


@pytest.fixture
def run_prepare(tmp_path):
    """Run the stage `prepare` as if on a dataset of a source; return its rows and its problems."""

    def run(raw, source="folder", height=64, width=128, given=None, most_problems=0.1, **layout):
        files = {name: tmp_path / f"{name}.csv" for name in ("index", "problems")}
        arrays = {name: tmp_path / f"{name}.npy" for name in ("images", "labels")}
        layout, size = Layout(source=source, **layout), Image(height=height, width=width)
        state = tmp_path / "state.txt"
        files |= arrays | {"raw": raw, "state": state}
        prepare(layout, size, "as it is", given, **files, most_problems=most_problems)
        return rows_of(files["index"]), rows_of(files["problems"])

    return run


@pytest.fixture
def arrays(tmp_path):
    """Return the radiographs and the labels that `prepare` has written."""
    return lambda: (np.load(tmp_path / "images.npy"), np.load(tmp_path / "labels.npy"))


@pytest.fixture
def write_hitl(radiograph):
    """Write a dataset like the paper's: radiographs of 64 x 128 pixels with some figures each."""

    def write(root, *figures):
        for part in ("img", "ann"):
            (root / "d2" / part).mkdir(parents=True)
        for number, objects in enumerate(figures, start=1):
            cv2.imwrite(str(root / "d2" / "img" / f"{number}.jpg"), radiograph(number)[0])
            content = {"size": {"height": 64, "width": 128}, "objects": objects}
            (root / "d2" / "ann" / f"{number}.jpg.json").write_text(json.dumps(content))
        return root

    return write


@pytest.fixture
def isolated(monkeypatch, tmp_path):
    """Loopback only, and neither the user's credentials nor proxies."""
    connect = socket.socket.connect

    def connect_to_loopback(self, address):
        assert self.family == socket.AF_UNIX or address[0] in ("127.0.0.1", "::1"), address
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_to_loopback)
    for name in list(os.environ):
        if name.startswith(("KAGGLE", "MASKEDTEETH_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(home / ".kaggle"))


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "mine.zip"
    path.write_bytes(ZIP)
    return path


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
