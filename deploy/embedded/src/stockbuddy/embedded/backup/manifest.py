"""What a backup contains, by which a restore is compared with it."""

from pydantic import AwareDatetime, BaseModel


class LogHead(BaseModel):
    """The head of the event log; `hash` in hexadecimal digits."""

    position: int
    hash: str


class Manifest(BaseModel):
    """`release`: that of the program. `revisions`: schema → newest migration. `roles`: the owners of the schemas.
    `rows`: schema and table → number of rows. `image_store`: the directory or S3 address of the images."""

    created_at: AwareDatetime
    release: str
    revisions: dict[str, str]
    roles: list[str]
    log_head: LogHead
    rows: dict[str, int]
    image_store: str
