"""What HTTP libraries log of the calls that our providers make, without the secrets in it."""

import logging

from quantum_assets.contracts.redact import redact

#: Loggers of the libraries that our providers call with credentials; a filter is not handed down to child loggers.
_TALKATIVE: tuple[str, ...] = (
    *("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "urllib3.connectionpool"),
    *("botocore.auth", "botocore.endpoint", "botocore.hooks", "botocore.httpsession", "botocore.parsers"),
    *("botocore.retryhandler", "botocore.retries.standard", "ibm-cloud-sdk-core", "qiskit_ibm_runtime"),
)


def mind_the_logs() -> None:
    """Take secrets out of what HTTP libraries log: addresses, and at level DEBUG the headers of every answer."""
    for name in _TALKATIVE:
        logger = logging.getLogger(name)
        if _MINDER not in logger.filters:
            logger.addFilter(_MINDER)


class _Minder(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), None
        return True


_MINDER = _Minder()
