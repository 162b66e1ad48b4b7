"""Bytes of a file as text: its encoding, as far as the bytes tell it, or what to state."""

import codecs

from subq_toolkit.errors import InputError

#: How much of a file is looked at before it is read whole. [bytes]
HEAD = 256 * 1024
#: Byte order marks, the longer ones first, and the encodings that read past them.
_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
#: Which of four bytes are zero where most characters are Latin letters and figures.
_ZEROS = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
_MOSTLY, _HARDLY = 0.67, 0.1
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f"))


def require_encoding(encoding: str) -> None:
    """Refuse what is no encoding of text that Python knows."""
    try:
        "a".encode(encoding)
    except (LookupError, ValueError, TypeError, ImportError):
        shown = encoding[:40] if isinstance(encoding, str) else type(encoding).__name__
        raise InputError(
            f"encoding={shown!r} is not known. Common: utf-8, cp1252, utf-16."
        ) from None


def marked_encoding(start: bytes) -> str | None:
    """The encoding that a byte order mark at the start of a file tells."""
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)


def likely_encoding(start: bytes) -> str:
    """The encoding in which the start of a file reads as text, by its bytes alone."""
    told = marked_encoding(start) or _wide(start)
    if told:
        return told
    readable = (name for name in ("utf-8", "cp1252") if _reads_but_for_its_end(start, name))
    return next(readable, "utf-8")


def decoded(data: bytes, encoding: str, file: str, *, cut: bool = False) -> str:
    """Decode; with ``cut`` the data may end inside of a character, which is left out.

    Raises
    ------
    InputError
        If the data is in another encoding, ends inside of a character, or is no text.
    """
    _require_text(data[:HEAD], encoding, file)
    try:
        if cut:
            return codecs.getincrementaldecoder(encoding)().decode(data)
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if not cut and _reads_but_for_its_end(data, encoding):
            raise InputError(
                f"'{file}' is cut short: as {encoding} it ends inside of a character. Copy or "
                f"export it again."
            ) from None
        line = data.count(b"\n", 0, error.start) + 1
    except UnicodeError:
        line = 1
    raise InputError(
        f"'{file}' is not {encoding}: line {line:,} holds other bytes. {_remedy(data, encoding)}"
    )


def _remedy(data: bytes, encoding: str) -> str:
    likely = likely_encoding(data[:HEAD])
    if likely == "cp1252" != codecs.lookup(encoding).name:
        return 'It is likely a file saved by Windows: read it with encoding="cp1252".'
    if codecs.lookup(likely).name != codecs.lookup(encoding).name:
        return f'By its bytes it is likely {likely}: read it with encoding="{likely}".'
    return "State the encoding it was saved in, or export it again as UTF-8."


def _reads_but_for_its_end(data: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(data)
    except UnicodeError:
        return False
    return True


def _require_text(start: bytes, encoding: str, file: str) -> None:
    told, name = _wide(start), codecs.lookup(encoding).name
    if told and not marked_encoding(start) and name not in (told, told.removesuffix("-le")):
        raise InputError(
            f"'{file}' is not {encoding}: by its zero bytes it is {told}. Read it with "
            f'encoding="{told}".'
        )
    if name.startswith(("utf-16", "utf-32")):
        return
    if len(start) - len(start.translate(None, _CONTROLS)) > 4 + len(start) // 100:
        raise InputError(
            f"'{file}' is not text: it holds control or NUL bytes. Export it as CSV again."
        )


def _wide(start: bytes) -> str | None:
    """The encoding of two or four bytes a character that the zero bytes show."""
    shares = [start[place::4].count(0) * 4 / max(len(start), 1) for place in range(4)]
    if not all(share > _MOSTLY or share < _HARDLY for share in shares):
        return None
    return _ZEROS.get(tuple(share > _MOSTLY for share in shares))
