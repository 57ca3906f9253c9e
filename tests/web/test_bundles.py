"""The bundle of the built-in rules, as an OPA server asks for it."""

from __future__ import annotations

import io
import json
import tarfile

from flask.testing import FlaskClient

from gracegate.policy import load_builtin

URL = "/bundles/gracegate.tar.gz"


def test_the_bundle_has_all_rules_and_their_digest(client: FlaskClient) -> None:
    answer = client.get(URL)
    assert (answer.status_code, answer.mimetype) == (200, "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(answer.data)) as tar:
        files = {one.name: (tar.extractfile(one) or io.BytesIO()).read().decode() for one in tar}
    catalog = load_builtin()
    assert {f"gracegate/{path}": text for path, text in catalog.modules.items()}.items() <= files.items()
    assert json.loads(files[".manifest"])["revision"] == catalog.digest
    assert json.loads(files["data.json"])["gracegate_release"] == {"digest": catalog.digest}


def test_an_opa_that_has_the_rules_gets_no_body(client: FlaskClient) -> None:
    etag = client.get(URL).headers["ETag"]
    answer = client.get(URL, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.data) == (304, b"")
    assert client.get(URL, headers={"If-None-Match": '"another"'}).status_code == 200
