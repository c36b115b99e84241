"""Title and body of a notification, before they are rendered."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Content:
    """Plain text. In an e-mail the title is the subject line."""

    title: str
    body: str

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, document: str) -> Self:
        return cls(**json.loads(document))
