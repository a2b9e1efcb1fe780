import os
import socket
import threading

import pytest
from hitl_zip import ZIP, Server


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
