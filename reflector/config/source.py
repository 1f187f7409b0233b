"""Reads a configuration file's text, whatever the path turns out to be."""

from pathlib import Path
from typing import Final

from reflector.config.errors import ConfigError, Finding

# A configuration is a page, one of ten thousand neighbors a megabyte; beyond this it is some other
# file, or a device that never ends.
_MAX_BYTES: Final = 4 << 20


def read_text(path: Path) -> str:
    """Read a file.

    Raises:
        ConfigError: It is missing, unreadable, too large, or not UTF-8 text.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except IsADirectoryError as error:
        raise only(name, "is a directory: name the file in it") from error
    except OSError as error:
        raise only(name, f"can't be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise only(name, f"is larger than {_MAX_BYTES >> 20} MiB: this is no configuration")
    return decode(content, name)


def decode(content: bytes, name: str) -> str:
    """Make text of a file's content.

    Args:
        content: UTF-8, with or without a byte order mark.
        name: Of the file, for messages.

    Raises:
        ConfigError: It is not UTF-8, or holds NUL bytes.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Finding(name, line, 0, "", "the file is not UTF-8 text")]) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError([Finding(name, line, 0, "", "the file holds a NUL byte: it is no text")])
    return text


def only(name: str, what: str) -> ConfigError:
    """The error of a file as a whole."""
    return ConfigError([Finding(name, 0, 0, "", what)])
