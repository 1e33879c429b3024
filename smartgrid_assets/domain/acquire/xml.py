"""XML of others, streamed: no entities, no document types, bounded depth and text. Names come without their namespace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO
from xml.parsers import expat

MAX_DEPTH = 64
MAX_TEXT = 1 << 20
_CHUNK = 1 << 20

Begin = Callable[[tuple[str, ...], dict[str, str], int], None]
End = Callable[[tuple[str, ...], str], None]


@dataclass
class XmlError(Exception):
    """Where reading stopped, and why."""

    line: int
    column: int
    reason: str


def parse(stream: IO[bytes], begin: Begin, end: End) -> None:
    """Read a document. begin: path of names down to the element, its attributes, its line; end: path and own text.

    Raises XmlError where the text is no XML, ends early, declares a document type or an encoding that is not known, or is too deep or too long.
    Memory: one chunk of 1 MB, the path, and the text of one element.
    """
    parser = expat.ParserCreate()
    path: list[str] = []
    texts: list[list[str]] = []
    has_begun = False

    def stop(reason: str) -> None:
        raise XmlError(parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, reason)

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal has_begun
        has_begun = True
        if len(path) >= MAX_DEPTH:
            stop(f"elements stand more than {MAX_DEPTH} deep")
        path.append(name.rpartition(":")[2])
        texts.append([])
        begin(tuple(path), {key.rpartition(":")[2]: value for key, value in attributes.items()}, parser.CurrentLineNumber)

    def text(data: str) -> None:
        if texts:
            texts[-1].append(data)
            if sum(map(len, texts[-1])) > MAX_TEXT:
                stop("the text of one element is too long")

    def finish(name: str) -> None:
        end(tuple(path), "".join(texts.pop()))
        path.pop()

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, finish, text
    parser.StartDoctypeDeclHandler = lambda *declared: stop("a document type is declared, which is not allowed")
    parser.EntityDeclHandler = lambda *declared: stop("an entity is declared, which is not allowed")
    parser.buffer_text = True
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise XmlError(error.lineno, error.offset + 1, expat.ErrorString(error.code)) from None
    except (LookupError, ValueError) as error:
        if has_begun:
            raise  # of a handler: a bug of ours
        reason = f"its encoding cannot be read ({error}); UTF-8, UTF-16 and encodings of one byte a letter can"
        raise XmlError(1, 1, reason) from None
    except (OSError, EOFError) as error:
        raise XmlError(parser.CurrentLineNumber, parser.CurrentColumnNumber + 1, f"the compressed data ends early ({error})") from None
