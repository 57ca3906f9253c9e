"""Archives of servers and registries: by HTTPS, within limits, and with the digest that was asked for."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from gracegate.archives import Download
from gracegate.errors import RepositoryError

TAR_LAYERS = ("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip")
"""The media types of layers that are a .tar.gz, as images have them."""

_TIMEOUT = (5.0, 15.0)
"""Seconds for the connection and between two parts of an answer."""
_MAX_REDIRECTS = 5
_MAX_MANIFEST_BYTES = 1_000_000
_MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ArchiveServers:
    """Asks servers of archives, each of at most `max_bytes`; an answer takes at most `seconds`.

    Redirects are followed to other servers, and only to those with TLS.
    """

    def __init__(self, max_bytes: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._seconds = seconds
        self._clock = clock
        self._session = requests.Session()
        self._etags: dict[tuple[str, str], str] = {}

    def download(self, url: str, known: str = "") -> Download | None:
        """The archive at a URL, None where its digest is still the `known` one. Raises RepositoryError."""
        etag = self._etags.get((url, known))
        with self._get(url, {"If-None-Match": etag} if etag else {}) as answer:
            if answer.status_code == 304:
                return None
            data = self._read(answer, self._max_bytes, url)
            digest = _sha256(data)
            if etag := answer.headers.get("ETag"):
                self._etags = {key: kept for key, kept in self._etags.items() if key[0] != url} | {(url, digest): etag}
            return None if digest == known else Download(digest, data)

    def pull(self, reference: str, *, layers: Collection[str] = TAR_LAYERS, known: str = "") -> Download | None:
        """The archive of an image in a registry, `oci://host/name:tag` or `@sha256:`, None where its digest is still
        the `known` one: its one layer of the media types `layers`. Raises RepositoryError."""
        host, _, rest = reference.removeprefix("oci://").partition("/")
        name, _, digest = rest.partition("@")
        tag = digest
        if not digest:
            name, _, tag = rest.rpartition(":")
        base = f"{'http' if _is_loopback(host) else 'https'}://{host}/v2/{name}"
        token = self._token(f"{base}/manifests/{tag}")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        with self._get(f"{base}/manifests/{tag}", {**headers, "Accept": _MANIFESTS}) as answer:
            manifest = self._read(answer, _MAX_MANIFEST_BYTES, reference)
        found = _sha256(manifest)
        if digest and found != digest:
            raise RepositoryError(f"the registry gives {found}", file=reference)
        if found == known:
            return None
        media_type, layer = _layer(manifest, layers, reference)
        with self._get(f"{base}/blobs/{layer}", headers) as answer:
            data = self._read(answer, self._max_bytes, reference)
        if _sha256(data) != layer:
            raise RepositoryError(f"the registry gives another layer than {layer}", file=reference)
        return Download(found, data, media_type)

    def _token(self, url: str) -> str:
        """A token for everybody, where the registry wants one."""
        with self._get(url, {"Accept": _MANIFESTS}, allowed=(401,)) as answer:
            challenge = answer.headers.get("WWW-Authenticate", "")
            if answer.status_code != 401:
                return ""
        wanted = dict(_CHALLENGE.findall(challenge))
        realm = wanted.pop("realm", "")
        if not challenge.lower().startswith("bearer ") or not _is_secure(realm, url):
            raise RepositoryError("the registry wants a password, and gracegate has none for it", file=url)
        with self._get(realm, {}, params=wanted) as answer:
            found = _json(self._read(answer, _MAX_MANIFEST_BYTES, url), url)
        token = found.get("token") or found.get("access_token")
        return token if isinstance(token, str) else ""

    @contextmanager
    def _get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        params: Mapping[str, str] | None = None,
        allowed: tuple[int, ...] = (),
    ) -> Iterator[requests.Response]:
        """An answer that succeeded, or has one of the `allowed` codes."""
        # identity: a .tar.gz that is also a content encoding would be unpacked, without any limit of ours.
        with self._follow(url, {"Accept-Encoding": "identity", **headers}, params) as answer:
            if answer.status_code != 304 and not answer.ok and answer.status_code not in allowed:
                raise RepositoryError(f"the server answers {answer.status_code}", file=url)
            yield answer

    def _follow(self, url: str, headers: Mapping[str, str], params: Mapping[str, str] | None) -> requests.Response:
        """The answer at the end of all redirects; each is looked at before it is followed."""
        asked = url
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                answer = self._session.get(
                    asked, headers=headers, params=params, timeout=_TIMEOUT, stream=True, allow_redirects=False
                )
            except requests.RequestException as error:
                raise RepositoryError(f"the server does not answer ({type(error).__name__})", file=url) from error
            following = answer.next
            if following is None:
                return answer
            answer.close()
            asked, params = following.url or "", None
            if not _is_secure(asked, url):
                raise RepositoryError("the server redirects to an address without TLS", file=url)
            # What is for one server only is not among the headers for another one.
            headers = {name: value for name, value in headers.items() if name in following.headers}
        raise RepositoryError(f"the server redirects more than {_MAX_REDIRECTS} times", file=url)

    def _read(self, answer: requests.Response, limit: int, source: str) -> bytes:
        data = bytearray()
        deadline = self._clock() + self._seconds
        try:
            # Whatever has come: to wait for a whole part would give a server that sends bytes now and then all day.
            while chunk := answer.raw.read1(65536, decode_content=False):
                data += chunk
                if len(data) > limit:
                    raise RepositoryError(f"the server sends more than {limit // 1_000_000} MB", file=source)
                if self._clock() > deadline:
                    raise RepositoryError(f"the server takes more than {self._seconds:g} s", file=source)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise RepositoryError(f"the connection broke ({type(error).__name__})", file=source) from error
        return bytes(data)


def _layer(manifest: bytes, media_types: Collection[str], source: str) -> tuple[str, str]:
    """The media type and the digest of the layer that holds the archive."""
    layers = _json(manifest, source).get("layers")
    found = [
        (str(one["mediaType"]), str(one["digest"]))
        for one in (layers if isinstance(layers, list) else ())
        if isinstance(one, dict) and one.get("mediaType") in media_types and _DIGEST.fullmatch(str(one.get("digest")))
    ]
    if len(found) != 1:
        message = f"the image has {len(found)} layers of type {' or '.join(media_types)}, and an archive is one"
        raise RepositoryError(message, file=source)
    return found[0]


def _json(data: bytes, source: str) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RepositoryError("the server does not answer with JSON", file=source) from error
    return value if isinstance(value, dict) else {}


def _sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _is_secure(url: str, asked: str) -> bool:
    """Whether a URL that a server has named may be asked: none without TLS, but on this machine for a server of it."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and _is_loopback(parts.netloc) and _is_loopback(urlsplit(asked).netloc)


def _is_loopback(host: str) -> bool:
    return host.partition(":")[0] in {"localhost", "127.0.0.1"}
