"""A hub on this machine: answers the API of the real one for tiny repositories, and every fault on demand."""

import contextlib
import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

BIG = 1000  # bytes; larger files are kept as large ones are: by SHA-256
TOKEN = "hf_right"  # noqa: S105  (of this hub alone)


def git_hash(data):
    """A name as git gives."""
    return hashlib.sha1(data, usedforsecurity=False)


class Hub:
    """Repositories by (sort, name), each a list of commits; a commit is its files."""

    def __init__(self):
        self.repositories = {}
        self.references = {}  # "refs/…" -> commit
        self.gated, self.private = set(), set()
        self.cut = {}  # path -> how many answers break off in the middle
        self.asked = []  # (method, path) of every request
        self.broken = False  # every answer is a 503

    def publish(self, sort, name, files):
        """A new commit; its hash."""
        commits = self.repositories.setdefault((sort, name), {})
        commit = git_hash(f"{name}{len(commits)}".encode()).hexdigest()
        commits[commit] = dict(files)
        return commit

    def find(self, sort, name, revision):
        """(commit, files), or the hub's word for what is missing."""
        commits = self.repositories.get((sort, name))
        if commits is None:
            return None, "RepoNotFound"
        commit = list(commits)[-1] if revision == "main" else self.references.get(revision, revision)
        return (commit, commits[commit]) if commit in commits else (None, "RevisionNotFound")


def record(path, data):
    """A file as the hub's API lists it."""
    found = {"type": "file", "path": path, "size": len(data), "oid": git_hash(data).hexdigest()}
    if len(data) > BIG:
        found["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 130}
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    @property
    def hub(self):
        return self.server.hub

    def do_HEAD(self):
        self.answer()

    def do_GET(self):
        self.answer()

    def do_POST(self):
        self.answer()

    def answer(self):
        url = urlsplit(self.path)
        path = unquote(url.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.asked.append((self.command, path))
        if self.hub.broken:
            return self.refuse(503, "")
        if path == "/api/models":
            return self.send(b"[]")
        if found := re.fullmatch(
            r"/api/(model|dataset)s/([^/]+/[^/]+)(?:/(revision|tree|paths-info|auth-check)(?:/([^/]+))?(?:/(.*))?)?",
            url.path,  # as it was sent: a reference has a `/` of its own, which is quoted
        ):
            return self.api(*(g and unquote(g) for g in found.groups()), url, body)
        if found := re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.resolve("dataset" if found[1] else "model", *found.groups()[1:])
        return self.refuse(404, "EntryNotFound")

    def allowed(self, sort, name):
        """Whether the repository may be seen; refuses where not."""
        right = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if (sort, name) in self.hub.private and not right:
            self.refuse(401, "RepoNotFound")
        elif (sort, name) in self.hub.gated and not right:
            self.refuse(403 if self.headers.get("Authorization") else 401, "GatedRepo")
        else:
            return True
        return False

    def api(self, sort, name, what, revision, below, url, body):
        if (sort, name) in self.hub.private and not self.allowed(sort, name):
            return None
        if what == "auth-check" and not self.allowed(sort, name):
            return None
        commit, files = self.hub.find(sort, name, revision or "main")
        if commit is None:
            return self.refuse(404, files)
        if what == "auth-check":
            return self.send(b"{}")
        listed = [record(p, d) for p, d in files.items()]
        if what in (None, "revision"):
            facts = {
                "id": name,
                "sha": commit,
                "private": False,
                "downloads": 0,
                "likes": 0,
                "tags": [],
                "gated": False,
            }
            siblings = [{"rfilename": f["path"]} for f in listed]
            return self.send(json.dumps({**facts, "siblings": siblings}).encode())
        if what == "tree":
            recursive = parse_qs(url.query).get("recursive", ["false"])[0].lower() in ("true", "1")
            return self.send(json.dumps(self.tree(listed, (below or "").strip("/"), recursive)).encode())
        paths = set(parse_qs(body.decode()).get("paths", []))
        with contextlib.suppress(ValueError, KeyError, TypeError):
            paths |= set(json.loads(body)["paths"])
        found = [f for f in listed if f["path"] in paths]
        folders = [p for p in paths if any(f["path"].startswith(f"{p}/") for f in listed)]
        return self.send(json.dumps(found + [{"type": "directory", "path": p, "oid": "0"} for p in folders]).encode())

    def tree(self, listed, below, recursive):
        """Files under a folder, and folders in it."""
        inside = [f for f in listed if not below or f["path"].startswith(f"{below}/")]
        start = len(below) + 1 if below else 0
        here = [f for f in inside if recursive or "/" not in f["path"][start:]]
        folders = {f["path"][: f["path"].index("/", start)] for f in inside if "/" in f["path"][start:]}
        return here + [{"type": "directory", "path": p, "oid": "0", "size": 0} for p in sorted(folders)]

    def resolve(self, sort, name, revision, path):
        if not self.allowed(sort, name):
            return None
        commit, files = self.hub.find(sort, name, revision)
        if commit is None:
            return self.refuse(404, files)
        if path not in files:
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        data = files[path]
        etag = record(path, data).get("lfs", {}).get("oid") or git_hash(data).hexdigest()
        headers = {"X-Repo-Commit": commit, "ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        start = int(re.fullmatch(r"bytes=(\d+)-.*", self.headers.get("Range", "bytes=0-"))[1])
        status = 206 if self.headers.get("Range") else 200
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        broken = self.command == "GET" and self.hub.cut.get(path, 0) > 0
        if broken:
            self.hub.cut[path] -= 1
        return self.send(data[start:], status, headers, cut=broken)

    def refuse(self, status, code, headers=None):
        self.send(json.dumps({"error": code}).encode(), status, {"X-Error-Code": code, **(headers or {})})

    def send(self, data, status=200, headers=None, *, cut=False):
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut:
            self.wfile.flush()
            self.close_connection = True


@contextlib.contextmanager
def serving():
    """A hub that answers at its `.address` while the block runs."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.hub = hub = Hub()
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
