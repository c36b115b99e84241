"""Title and body of a notification, before they are rendered."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from stockbuddy.notifications.email.languages import ENGLISH, Language

TRACEPARENT = "traceparent"


@dataclass(frozen=True, slots=True)
class Content:
    """Plain text. In an e-mail the title is the subject line."""

    title: str
    body: str

    def to_json(self, traceparent: str | None = None) -> str:
        """`traceparent`: of the cause, for the span of the e-mail (`traceparent_in`)."""
        trace = {} if traceparent is None else {TRACEPARENT: traceparent}
        return json.dumps(asdict(self) | trace, ensure_ascii=False)

    @classmethod
    def from_json(cls, document: str) -> Self:
        """The title as one line: a name in it may have several, which would look like a text of ours."""
        content = json.loads(document)
        content.pop(TRACEPARENT, None)
        return cls(**content | {"title": " ".join(content["title"].split())})


@dataclass(frozen=True, slots=True)
class EmailDetails:
    """What an e-mail says, in `language`, and the page of the console that it links to: a path, or None."""

    content: Content
    language: Language = ENGLISH
    path: str | None = None


def traceparent_in(document: str) -> str | None:
    """The trace context of a content's cause; None without one, or if the document is no content."""
    try:
        traceparent: str | None = json.loads(document).get(TRACEPARENT)
    except (ValueError, AttributeError):
        return None
    return traceparent
