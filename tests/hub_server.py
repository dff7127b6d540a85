"""A server on this machine that speaks the protocol of the Hugging Face Hub as its client uses it, and its faults."""

import base64
import contextlib
import dataclasses
import hashlib
import json
import re
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml

LFS_SUFFIXES = (".onnx", ".safetensors", ".parquet", ".png", ".pkl", ".bin", ".h5", ".keras")
TOKEN = "hf_of_the_tests"


@dataclasses.dataclass
class Repository:
    """Commits by their hashes, the newest last. Each is a dictionary from path to content."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = dataclasses.field(default_factory=dict)

    def commit(self, files: dict[str, bytes]) -> str:
        """Add files. Return the commit's hash."""
        tree = {**(next(reversed(self.commits.values())) if self.commits else {}), **files}
        names = repr([(path, hashlib.sha256(content).hexdigest()) for path, content in sorted(tree.items())])
        digest = hashlib.sha1(f"{len(self.commits)}{names}".encode()).hexdigest()
        self.commits[digest] = tree
        return digest


class Hub(ThreadingHTTPServer):
    """The server. ``repositories`` are by kind and name: "models/user/name".

    Attributes:
        requests: the method and the path of each request, in their order.
        cuts: how many of the next downloads end in the middle.
        corrupt: paths whose content differs from their checksums.
        status: the status that all requests of the interface get; 0 for the right one.
        seconds: the time before each answer.
        sizes: announced sizes of paths, if they differ.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.cuts, self.status, self.seconds = 0, 0, 0.0
        self.corrupt: set[str] = set()
        self.sizes: dict[str, int] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, **files: bytes) -> str:
        """Commit files, whose names have "__" for a dot. Return the commit's hash."""
        named = {path.replace("__", "."): content for path, content in files.items()}
        return self.repositories.setdefault(name, Repository()).commit(named)

    def newest(self, name: str) -> dict[str, bytes]:
        """The files of the newest commit."""
        return next(reversed(self.repositories[name].commits.values()))

    def downloads(self) -> list[str]:
        """The paths of all files that were downloaded."""
        return [path.split("/resolve/")[1].partition("/")[2] for verb, path in self.requests if "/resolve/" in path]

    def handle_error(self, request, client_address):  # Clients that have gone are no error.
        pass


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: Hub

    def log_message(self, *words):
        pass

    def do_HEAD(self):
        self.answer("HEAD")

    def do_GET(self):
        self.answer("GET")

    def do_POST(self):
        self.answer("POST")

    def do_PUT(self):
        self.answer("PUT")

    def answer(self, method: str) -> None:
        hub, path = self.server, unquote(urlsplit(self.path).path)
        hub.requests.append((method, path))
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        threading.Event().wait(hub.seconds)  # The tests replace the client's time.sleep.
        if hub.status:
            self.reply({"error": "a fault of the test"}, hub.status)
            return
        for pattern, function in ROUTES:
            if match := re.fullmatch(pattern, path):
                function(self, **match.groupdict())
                return
        self.reply({"error": f"no such path: {path}"}, 404)
        return

    def reply(self, content, status=200, **headers) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def find(self, kind: str, repo: str, rev: str | None) -> tuple[str, dict[str, bytes]] | None:
        """The commit of a revision. If there is none, the answer is given: 401 hides private repositories."""
        repository = self.server.repositories.get(f"{kind}/{repo}")
        is_allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if repository is None or (repository.private and not is_allowed):
            self.reply({"error": "Repository not found"}, 404 if is_allowed else 401, X_Error_Code="RepoNotFound")
            return None
        newest = next(reversed(repository.commits), None)
        commit = newest if rev in (None, "main") else rev
        if commit not in repository.commits:
            self.reply({"error": "Revision not found"}, 404, X_Error_Code="RevisionNotFound")
            return None
        return commit, repository.commits[commit]

    def facts(self, path: str, content: bytes) -> dict:
        """A file as a tree lists it."""
        size = self.server.sizes.get(path, len(content))
        entry = {"type": "file", "path": path, "size": size, "oid": git_hash(content)}
        if path.endswith(LFS_SUFFIXES):
            entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": size, "pointerSize": 134}
        return entry

    # ---- Reading ----

    def info(self, kind: str, repo: str, rev: str | None = None) -> None:
        if found := self.find(kind, repo, rev):
            commit, files = found
            entries = [self.facts(path, content) for path, content in files.items()]
            siblings = [
                {"rfilename": entry["path"], "size": entry["size"], "blobId": entry["oid"]}
                | ({"lfs": {**entry["lfs"], "sha256": entry["lfs"]["oid"]}} if "lfs" in entry else {})
                for entry in entries
            ]
            self.reply({"id": repo, "sha": commit, "siblings": siblings, "private": False, "tags": []})

    def tree(self, kind: str, repo: str, rev: str, path: str | None = None) -> None:
        if found := self.find(kind, repo, rev):
            inside = f"{path.strip('/')}/" if path else ""
            files = {name: content for name, content in found[1].items() if name.startswith(inside)}
            if path and not files:
                self.reply({"error": "no such folder"}, 404, X_Error_Code="EntryNotFound")
                return
            self.reply([self.facts(name, content) for name, content in files.items()])

    def paths_info(self, kind: str, repo: str, rev: str) -> None:
        if found := self.find(kind, repo, rev):
            form = self.body.decode()
            asked = json.loads(form)["paths"] if form.startswith("{") else re.findall(r"paths=([^&]+)", form)
            names = {unquote(name) for name in asked}
            entries = [self.facts(name, content) for name, content in found[1].items() if name in names]
            folders = {name for name in names if any(path.startswith(f"{name}/") for path in found[1])}
            self.reply(entries + [{"type": "directory", "path": name, "oid": "0" * 40} for name in folders])

    def resolve(self, repo: str, rev: str, path: str, datasets: str | None = None) -> None:
        found = self.find("datasets" if datasets else "models", repo, rev)
        if found is None:
            return
        commit, files = found
        if path not in files:
            self.reply({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            return
        content = files[path]
        etag = hashlib.sha256(content).hexdigest() if path.endswith(LFS_SUFFIXES) else git_hash(content)
        headers = {"ETag": f'"{etag}"', "X_Repo_Commit": commit, "Accept_Ranges": "bytes"}
        if path in self.server.corrupt:
            content = bytes(255 - byte for byte in content)
        self.send_part(content, headers)

    def send_part(self, content: bytes, headers: dict[str, str]) -> None:
        """Send a file, or the rest of it; or only a half, if a download is to be cut."""
        begin = int(re.sub(r"\D", "", self.headers.get("Range", "")) or 0)
        part = content[begin:]
        if begin:
            headers["Content_Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        if self.command == "GET" and self.server.cuts:
            self.server.cuts -= 1
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(part)))
            self.end_headers()
            self.wfile.write(part[: len(part) // 2])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        self.reply(part, 206 if begin else 200, **headers)

    # ---- Writing ----

    def writes(self, kind: str, repo: str) -> Repository | None:
        """The repository, if the token allows to write. Otherwise the answer is given."""
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.reply({"error": "Invalid username or password."}, 401)
            return None
        return self.server.repositories[f"{kind}/{repo}"]

    def create(self) -> None:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.reply({"error": "Invalid username or password."}, 401)
            return
        asked = json.loads(self.body)
        name = f"{asked.get('type', 'model')}s/{asked['organization']}/{asked['name']}"
        is_new = name not in self.server.repositories
        self.server.repositories.setdefault(name, Repository(asked.get("visibility") == "private"))
        url = f"{self.server.url}/{name.removeprefix('models/')}"
        self.reply({"url": url, "name": name.partition("/")[2]}, 200 if is_new else 409)

    def validate(self) -> None:
        """The Hub's rules for cards, as far as ours could break them."""
        content = json.loads(self.body)["content"]
        match = re.match(r"---\n(.*?)\n---\n", content, re.DOTALL)
        facts = yaml.safe_load(match[1]) if match else None
        lists = ("tags", "task_categories", "size_categories", "configs")
        is_wrong = not isinstance(facts, dict) or any(not isinstance(facts.get(name, []), list) for name in lists)
        self.reply(
            {"errors": [{"message": "wrong metadata"}] if is_wrong else [], "warnings": []}, 400 if is_wrong else 200
        )

    def preupload(self, kind: str, repo: str, rev: str) -> None:
        if self.writes(kind, repo) is not None:
            paths = [file["path"] for file in json.loads(self.body)["files"]]
            modes = ["lfs" if path.endswith(LFS_SUFFIXES) else "regular" for path in paths]
            files = [
                {"path": path, "uploadMode": mode, "shouldIgnore": False}
                for path, mode in zip(paths, modes, strict=True)
            ]
            self.reply({"files": files})

    def batch(self, repo: str, datasets: str | None = None) -> None:
        if self.writes("datasets" if datasets else "models", repo) is not None:
            objects = [
                {**entry, "actions": {"upload": {"href": f"{self.server.url}/lfs/{entry['oid']}"}}}
                for entry in json.loads(self.body)["objects"]
            ]
            self.reply({"transfer": "basic", "objects": objects})

    def store(self, oid: str) -> None:
        is_right = hashlib.sha256(self.body).hexdigest() == oid
        if is_right:
            self.server.objects[oid] = self.body
        self.reply({}, 200 if is_right else 400)

    def commit(self, kind: str, repo: str, rev: str) -> None:
        repository = self.writes(kind, repo)
        if repository is None:
            return
        files = {}
        for line in map(json.loads, self.body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.server.objects[value["oid"]]
        oid = repository.commit(files)
        self.reply(
            {"success": True, "commitOid": oid, "commitUrl": f"{self.server.url}/{repo}/commit/{oid}", "hookOutput": ""}
        )


REPO = r"(?P<repo>[^/]+/[^/]+?)"
API = rf"/api/(?P<kind>models|datasets)/{REPO}"
ROUTES = (
    (rf"{API}(?:/revision/(?P<rev>.+))?", Handler.info),
    (rf"{API}/tree/(?P<rev>[^/]+)(?:/(?P<path>.+))?", Handler.tree),
    (rf"{API}/paths-info/(?P<rev>.+)", Handler.paths_info),
    (rf"{API}/preupload/(?P<rev>.+)", Handler.preupload),
    (rf"{API}/commit/(?P<rev>.+)", Handler.commit),
    (r"/api/repos/create", Handler.create),
    (r"/api/validate-yaml", Handler.validate),
    (rf"/(?P<datasets>datasets/)?{REPO}\.git/info/lfs/objects/batch", Handler.batch),
    (r"/lfs/(?P<oid>[0-9a-f]{64})", Handler.store),
    (rf"/(?P<datasets>datasets/)?{REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)", Handler.resolve),
)


def git_hash(content: bytes) -> str:
    """The name that Git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextlib.contextmanager
def running_hub() -> Iterator[Hub]:
    """A server on a free port of this machine, for the block."""
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


@contextlib.contextmanager
def connected_hub(patch, cache: Path) -> Iterator[Hub]:
    """A server, which the client of this process uses with short waiting times.

    Args:
        patch: pytest's ``MonkeyPatch``.
        cache: the folder of the client's downloads.
    """
    from huggingface_hub import constants

    with running_hub() as hub:
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.url)
        for name, value in {
            "ENDPOINT": hub.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": template,
            "HF_HUB_CACHE": str(cache),
            "HF_HUB_DOWNLOAD_TIMEOUT": 1,
            "HF_HUB_ETAG_TIMEOUT": 1,
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_OFFLINE": False,
            "HF_HUB_DISABLE_PROGRESS_BARS": True,
        }.items():
            patch.setattr(constants, name, value)
        patch.setattr("huggingface_hub.file_download.time.sleep", lambda seconds: None)
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_TOKEN", TOKEN)
        yield hub
