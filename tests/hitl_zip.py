"""A tiny dataset zipped in the real layout, and a server on loopback that can misbehave."""

import hashlib
import http.server
import io
import json
import zipfile

import cv2
import numpy as np

from maskedteeth.data.sources.hitl import DATASET, find_records
from maskedteeth.settings.sections import Layout


def figure(corners, interior=(), title="13", geometry="polygon"):
    """An object of an annotation: a tooth, unless told otherwise."""
    points = {"exterior": corners, "interior": list(interior)}
    return {"classTitle": title, "geometryType": geometry, "points": points}


def dataset_members(images=3):
    """Return the dataset's files, as {name: bytes}, in exactly the layout of the real zip."""
    generator = np.random.default_rng(7)
    members = {f"{DATASET}/meta.json": b"{}", f"{DATASET}/obj_class_to_machine_color.json": b"{}"}
    for number in range(1, images + 1):
        noise = generator.integers(0, 256, (240, 480), dtype=np.uint8)
        jpeg = cv2.imencode(".jpg", noise)[1].tobytes()
        annotation = {"size": {"height": 240, "width": 480}, "objects": []}
        members[f"{DATASET}/d2/img/{number}.jpg"] = jpeg
        members[f"{DATASET}/d2/ann/{number}.jpg.json"] = json.dumps(annotation).encode()
        members[f"Teeth Segmentation PNG/d2/img/{number}.jpg"] = jpeg
    return members


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as content:
        for name, data in members.items():
            content.writestr(name, data)
    return buffer.getvalue()


ZIP = zip_of(dataset_members())
SHA256 = hashlib.sha256(ZIP).hexdigest()


def assert_is_dataset(raw):
    records = find_records(raw, Layout(source="hitl")).records
    assert [record.id for record in records] == ["1", "2", "3"]
    members = dataset_members()
    found = {str(f.relative_to(raw)): f.read_bytes() for f in raw.rglob("*") if f.is_file()}
    assert found == members
    assert [p.name for p in raw.parent.iterdir()] == [raw.name]  # nothing temporary is left


class Server(http.server.ThreadingHTTPServer):
    """Serve the zip; each entry of ``script`` decides over one request before that."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.script, self.asked = [], []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        pass  # a client that goes away is no trouble of the test


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.rfile.read(int(self.headers["Content-Length"] or 0))
        step = self.server.script.pop(0) if self.server.script else (200, {}, ZIP)
        if callable(step):
            return step(self)
        status, headers, content = step
        return self.answer(status, content, **headers)

    do_POST = do_GET  # Kaggle's client

    def answer(self, status, content, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def log_message(self, *_):
        pass
