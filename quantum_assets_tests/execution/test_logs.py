"""What other libraries log of our calls holds no secret."""

import logging
from urllib.parse import quote

import pytest

from quantum_assets.contracts.redact import MASK
from quantum_assets.execution.logs import mind_the_logs

PLANTED = 'p1@nted/S3cret+with "quotes"\\'


def test_lines_of_http_libraries_lose_their_secrets_and_keep_the_rest(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", PLANTED)
    mind_the_logs()
    mind_the_logs()
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx").info('HTTP Request: %s %s "%d"', "GET", f"http://h/?q={quote(PLANTED)}", 401)
    logging.getLogger("httpcore.http11").debug("receive_response_headers %r", [(b"X-Echo", PLANTED)])
    assert caplog.messages[0] == f'HTTP Request: GET http://h/?q={MASK} "401"'
    assert PLANTED not in caplog.text
    assert "X-Echo" in caplog.text
