"""Read and write messages in protobuf's wire format, within bounds and without a schema."""

from collections.abc import Iterator

VARINT, BYTES = 0, 2  # types of fields
FIXED_SIZES = {1: 8, 5: 4}  # bytes of the other types


def byte_fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """The fields of a message that hold bytes, by their numbers. Raises ValueError if it is damaged."""
    for number, kind, value in _fields(message):
        if kind == BYTES:
            yield number, value


def varint(message: memoryview, field: int) -> int:
    """A message's whole number in a field, 0 if it has none. A later value of the field replaces an earlier one."""
    values = varints(message, field)
    return values[-1] if values else 0


def varints(message: memoryview, field: int) -> list[int]:
    """A message's whole numbers in a field that repeats: one by one, or packed together."""
    numbers = []
    for number, kind, value in _fields(message):
        position = 0
        while number == field and kind in (VARINT, BYTES) and position < len(value):
            whole, position = _varint(value, position)
            numbers.append(whole)
    return numbers


def text(message: memoryview, field: int) -> str:
    """A message's text in a field. A later value of the field replaces an earlier one."""
    values = texts(message, field)
    return values[-1] if values else ""


def texts(message: memoryview, field: int) -> list[str]:
    """A message's texts in a field that repeats."""
    return [bytes(value).decode("utf-8", "replace") for number, value in byte_fields(message) if number == field]


def encode_bytes(field: int, content: bytes | memoryview) -> bytes:
    """A field that holds bytes: a text, or another message."""
    return b"".join((_encode_varint(field << 3 | BYTES), _encode_varint(len(content)), content))


def encode_varint(field: int, number: int) -> bytes:
    """A field that holds a whole number, at least 0."""
    return _encode_varint(field << 3 | VARINT) + _encode_varint(number)


def _fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """The number, the type and the content of each field. Raises ValueError if the message is damaged."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        kind, start = key & 7, position
        if kind == VARINT:
            _, position = _varint(message, position)
        elif kind == BYTES:
            size, start = _varint(message, position)
            if size > len(message) - start:
                raise ValueError("a field is longer than its message")
            position = start + size
        elif kind in FIXED_SIZES:
            position += FIXED_SIZES[kind]
        else:
            raise ValueError("a field has no type of protobuf")
        yield key >> 3, kind, message[start:position]


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A whole number of one to ten bytes, and the position after it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(message):
            break
        byte = message[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError("a number does not end")


def _encode_varint(number: int) -> bytes:
    content = bytearray()
    while number > 127:
        content.append(number & 127 | 128)
        number >>= 7
    content.append(number)
    return bytes(content)
