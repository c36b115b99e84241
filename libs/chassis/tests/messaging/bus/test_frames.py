"""The hand-encoded AMQP frames."""

from typing import Any

import pamqp.frame
import pytest

from stockbuddy.chassis.messaging.bus.amqp.envelope import to_amqp
from stockbuddy.chassis.messaging.bus.amqp.frames import Address, publish_frames
from stockbuddy.chassis.messaging.message import Message

HEADERS = {"id": "0193", "type": "stock.level.changed", "subject": "product/ü", "datacontenttype": "application/json"}


@pytest.mark.parametrize("body", [b"", b"{}", b"x" * 10, b"x" * 11, b"\xce" * 25])
def test_encoded_frames_are_decoded_by_the_library(body: bytes) -> None:
    message = Message("0193", "stock.level.changed", HEADERS, body)

    written = publish_frames(message, Address("events", "a.b", mandatory=True), channel=7, max_body_size=10)

    frames: list[Any] = []
    while written:
        length, channel, frame = pamqp.frame.unmarshal(written)
        assert channel == 7
        frames.append(frame)
        written = written[length:]
    method, header, *parts = frames
    assert (method.name, method.exchange, method.routing_key) == ("Basic.Publish", "events", "a.b")
    assert (method.mandatory, method.immediate) == (True, False)
    assert header.body_size == len(body)
    assert dict(header.properties) == dict(to_amqp(message).properties) | {"priority": None}
    assert [part.value for part in parts] == [body[start : start + 10] for start in range(0, len(body), 10)]
