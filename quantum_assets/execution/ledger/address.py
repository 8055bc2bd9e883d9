"""Where the ledger is: a URL, read and checked, and shown without its password."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from quantum_assets.contracts.errors import PlanError

IN_MEMORY = frozenset({"sqlite://", "sqlite:///", "sqlite:///:memory:"})
_FILE = "sqlite:///"
_EXAMPLES = "Use sqlite:////path/to/ledger.db or postgresql://user@host/database"


def parse(url: str) -> URL:
    """Read a ledger's URL; connects to nothing.

    Args:
        url: ``sqlite://`` (in memory, for tests), ``sqlite:///<path>`` (the path as it is: nothing in it is quoted)
            or ``postgresql://…``, which is spoken by psycopg.

    Raises:
        PlanError: If it is none of these; the text never holds the URL, which may hold a password.
    """
    if url in IN_MEMORY:
        return URL.create("sqlite")
    if url.startswith(_FILE):
        return URL.create("sqlite", database=url.removeprefix(_FILE))
    scheme = url.partition(":")[0]
    if scheme not in {"postgresql", "postgresql+psycopg"}:
        named = f"names the scheme {scheme!r}" if "://" in url and "@" not in scheme else "is not a URL"
        raise PlanError("the ledger's URL", f"{named}, which is no ledger", _EXAMPLES)
    try:
        return make_url(url).set(drivername="postgresql+psycopg")
    except (ArgumentError, ValueError):  # their texts quote the URL
        raise PlanError("the ledger's URL", "cannot be read as a PostgreSQL URL", _EXAMPLES) from None


def file_of(url: URL) -> Path | None:
    """The SQLite file; None for a ledger in memory or on a server."""
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def shown(url: URL) -> str:
    """The URL for people: no password, and no options, which may hold one too."""
    file = file_of(url)
    if file is not None:
        return f"{_FILE}{file}"
    return url.set(query={}, drivername=url.get_backend_name()).render_as_string(hide_password=True)


def scrubbed(text: str, url: URL) -> str:
    """`text` without the URL's password, wherever a driver put it."""
    secrets = [str(url.password or ""), *(value for key, value in url.query.items() if "pass" in key.lower())]
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, "***")
    return text
