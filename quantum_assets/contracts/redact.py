"""Take secrets out of text that comes from outside, before it reaches a ledger, a log, metadata or an exception.

It lies below every room, because every room that reads or says something needs it.

Two nets. The values of this process's own secrets (environment variables with a telling name, passwords inside database
URLs) are removed wherever they stand, also when they were quoted or escaped on the way. And what has the shape of a
credential is removed wherever it comes from: passwords in URLs, Authorization headers, signed query strings, AWS keys,
JSON web tokens, `token=…` and the like.
"""

import json
import os
import re
import traceback
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit

MASK = "[removed]"
#: Shorter values are words that stand in innocent text too.
SHORTEST_SECRET = 8

# `KEY` counts at the end of a word of the name only; PWD is the working directory
_TELLING_NAME = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|PASSCODE|CREDENTIAL|(?:^|_)AUTH(?:_|$)|KEYS?(?:_|$)", re.I)

_WORD = r"[^\s\"'&,;<>\\]"
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # scheme://user:password@host; a password may hold any character but these
    (re.compile(r"(?<=://)([^\s/:@\"']*):[^\s/@\"']+@"), rf"\1:{MASK}@"),
    # Authorization: Bearer …, 'authorization': 'Basic …', Proxy-Authorization too
    (
        re.compile(rf"(authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:bearer|basic|apikey|token|digest)\s+)?{_WORD}+", re.I),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(bearer|apikey)(\s+)[A-Za-z0-9._~+/=-]{8,}", re.I), rf"\1\2{MASK}"),
    # AWS signs each request with one line of parts
    (re.compile(r"AWS4-HMAC-SHA256\s[^\r\n\"']*", re.I), f"AWS4-HMAC-SHA256 {MASK}"),
    (re.compile(rf"(x-amz-(?:signature|credential|security-token)[\"']?\s*[:=]\s*[\"']?){_WORD}+", re.I), rf"\1{MASK}"),
    # token=…, "api_key": "…", X-Auth-Token: …; not clientToken, which is an idempotency key
    (
        re.compile(
            r"((?<!client)(?<!client[_-])(?<!idempotency)(?:token|secret|password|passwd|passphrase|"
            r"api[_-]?key|(?:access|secret|private|account)[_-]?key(?:[_-]id)?)[\"']?\s*[:=]\s*[\"']?)"
            rf"(?!\[removed\]){_WORD}{{4,}}",
            re.I,
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b"), MASK),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.S), MASK),
)
#: Without one of these no shape above can match; looking for them is cheap.
_HINTS: tuple[str, ...] = (
    *("://", "authoriz", "bearer", "apikey", "aws4", "x-amz", "token", "secret", "passw", "passphrase", "key"),
    *("akia", "asia", "aroa", "aida", "eyj"),
)


def redact(text: str) -> str:
    """The text with every secret replaced by `MASK`; the same text where there is none, and redacting twice is once.

    What no database takes is replaced too: halves of surrogate pairs, which JSON can spell, and the character NUL.
    """
    if not text.isprintable():
        text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")
    known = _known(secrets())
    if known is not None:
        text = known.sub(MASK, text)
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    for shape, instead in _SHAPES:
        text = shape.sub(instead, text)
    return text


def leaks(error: BaseException) -> bool:
    """Whether what Python prints of an exception, with its causes, contexts and members, holds a secret."""
    printed = "".join(traceback.format_exception(error, limit=0))  # without the lines of source, which hold no values
    return redact(printed) != printed


def secrets() -> tuple[str, ...]:
    """Values of this process's environment that must never be shown, longest first.

    Those of variables with a telling name, and the passwords inside URLs of any variable; none that is shorter than
    `SHORTEST_SECRET`, for it would hide innocent words.
    """
    return _secrets_of(_environment())


def _environment() -> tuple[tuple[str | bytes, str | bytes], ...]:
    """Every variable as it is now, in a form that is taken in a microsecond or two and can be compared.

    `os.environ` decodes name and value at each look, which takes longer than all the rest of `redact`. It keeps them
    encoded in `_data`; a Python without that attribute gets the same answer, only later.
    """
    encoded = getattr(os.environ, "_data", None)
    # a copy is made in one piece, whatever other threads set meanwhile
    return tuple((encoded.copy() if isinstance(encoded, dict) else dict(os.environ)).items())


@lru_cache(maxsize=1)
def _secrets_of(environment: tuple[tuple[str | bytes, str | bytes], ...]) -> tuple[str, ...]:
    found = set()
    for name, value in ((os.fsdecode(name), os.fsdecode(value)) for name, value in environment):
        if len(value) >= SHORTEST_SECRET and _TELLING_NAME.search(name):
            found.add(value)
        if "://" in value and "@" in value:
            found.update(_url_passwords(value))
    return tuple(sorted((s for s in found if len(s) >= SHORTEST_SECRET), key=lambda s: (-len(s), s)))


@lru_cache(maxsize=8)
def _known(values: tuple[str, ...]) -> re.Pattern[str] | None:
    """One pattern for every way in which the values are written; None without values."""
    spellings: set[str] = set()
    for value in values:
        spellings |= {value, quote(value), quote(value, safe=""), json.dumps(value)[1:-1], repr(value)[1:-1]}
    return re.compile("|".join(map(re.escape, sorted(spellings, key=len, reverse=True)))) if spellings else None


def _url_passwords(value: str) -> set[str]:
    try:
        password = urlsplit(value).password
    except ValueError:
        return set()  # no URL after all
    return {password, unquote(password)} if password else set()
