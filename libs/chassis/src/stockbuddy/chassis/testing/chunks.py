"""Chunks of messages that a test makes itself."""

import json
from collections.abc import Iterable

from stockbuddy.chassis.messaging.chunks import Chunk, batch_text, event_text
from stockbuddy.chassis.messaging.message import Message


def chunks_of(messages: Iterable[Message]) -> list[Chunk]:
    """A chunk for each message."""
    return [
        Chunk(
            (message.type,),
            batch_text(
                [
                    event_text(
                        json.dumps({"id": message.id, "type": message.type, **message.headers}), message.body.decode()
                    )
                ]
            ),
        )
        for message in messages
    ]
