"""What a mail says, before it is laid out: one thing that somebody is told."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Content:
    """`title` becomes the subject line, `body` the text; plain text both."""

    title: str
    body: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, document: str) -> Self:
        return cls(**json.loads(document))
