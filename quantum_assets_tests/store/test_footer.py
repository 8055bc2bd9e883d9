import json

import pytest

from quantum_assets.contracts.errors import CorruptObject, StoreError
from quantum_assets.store.digest import content_digest
from quantum_assets.store.footer import FORMAT, Footer, package_versions
from quantum_assets_tests.store.samples import gram


def footer() -> Footer:
    content = content_digest(gram(), "gram/v1")
    return Footer(
        ("wine", "k"), {"profile": "ideal"}, content, {"seed": 7, "inputs": {"features": "ab"}}, "2026", {"a": "1"}
    )


def test_footers_read_back() -> None:
    assert Footer.from_json(footer().to_json(), "k") == footer()
    body = json.loads(footer().to_json())
    assert body["format"] == FORMAT
    assert body["version"] == footer().content.version


def test_another_format_is_refused_not_guessed() -> None:
    body = json.loads(footer().to_json()) | {"format": FORMAT + 1}
    with pytest.raises(StoreError, match=r"written in format 2; this release reads format 1\. Upgrade"):
        Footer.from_json(json.dumps(body), "wine/k")


@pytest.mark.parametrize("change", [{"content": None}, {"version": "0" * 64}, {"partition": None, "asset": 3}])
def test_damaged_footers_are_corrupt(change: dict) -> None:
    body = json.loads(footer().to_json()) | change
    with pytest.raises(CorruptObject, match="wine/k"):
        Footer.from_json(json.dumps(body), "wine/k")
    with pytest.raises(CorruptObject):
        Footer.from_json(footer().to_json()[:-9], "wine/k")


def test_digests_in_a_footer_must_make_its_version() -> None:
    body = json.loads(footer().to_json())
    body["content"]["columns"][0]["sha256"] = "0" * 64
    with pytest.raises(CorruptObject, match="do not make its version"):
        Footer.from_json(json.dumps(body), "wine/k")


def test_package_versions_are_known() -> None:
    assert {"python", "pyarrow", "numpy", "pandas", "quantum_assets"} == set(package_versions())
