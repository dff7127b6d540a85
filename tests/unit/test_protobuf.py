"""Protobuf messages are read and written as the format says, and damaged ones are refused."""

import pytest

from fashion_gan.system import protobuf


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 1 << 40])
def test_a_number_is_read_as_it_was_written(number):
    assert protobuf.varint(memoryview(protobuf.encode_varint(8, number)), 8) == number


def test_the_bytes_of_a_field_are_those_of_the_format():
    assert protobuf.encode_varint(1, 150) == b"\x08\x96\x01"  # the example of protobuf's own documentation
    assert protobuf.encode_bytes(2, b"testing") == b"\x12\x07testing"


def test_repeated_numbers_are_read_one_by_one_and_packed():
    separate = protobuf.encode_varint(4, 3) + protobuf.encode_varint(4, 270)
    packed = protobuf.encode_bytes(4, b"\x03\x8e\x02")
    assert protobuf.varints(memoryview(separate), 4) == protobuf.varints(memoryview(packed), 4) == [3, 270]


def test_a_later_value_replaces_an_earlier_one():
    message = memoryview(protobuf.encode_bytes(2, b"first") + protobuf.encode_bytes(2, b"second"))
    assert protobuf.text(message, 2) == "second"
    assert protobuf.texts(message, 2) == ["first", "second"]
    assert protobuf.text(message, 3) == ""


@pytest.mark.parametrize("content", [b"\x12\x09testing", b"\x12", b"\x13\x00", b"\x80" * 11])
def test_a_damaged_message_is_refused(content):
    with pytest.raises(ValueError, match=r"field|number"):
        list(protobuf.byte_fields(memoryview(content)))
