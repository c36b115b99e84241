"""Keys of texts: the same in Python and SQL, and in databases of every locale."""

import unicodedata

from sqlalchemy import text

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.text_keys import CREATE_CASE_KEY, case_key

EQUAL = [
    ("İpek", "ipek"),
    ("IŞIK", "\u0131ş\u0131k"),
    ("ΣΑΣ", "σας"),
    ("ЖУК", "жук"),
    ("É", "e\u0301"),
    ("\u1e9e", "ß"),
]
DIFFERENT = [("José", "Jose"), ("straße", "strasse"), ("ﬁ", "fi")]
CHARACTERS = [chr(code) for code in range(1, 0x20000) if unicodedata.category(chr(code)) not in ("Cn", "Co", "Cs")]


async def test_case_key_is_the_same_in_python_and_sql(database: Database) -> None:
    given = [*CHARACTERS, *(text for pair in EQUAL + DIFFERENT for text in pair)]
    async with database.transaction() as session:
        await (await session.connection()).exec_driver_sql(CREATE_CASE_KEY)
        keys = await session.scalars(
            text("SELECT case_key(given) FROM unnest(CAST(:given AS text[])) WITH ORDINALITY g(given, n) ORDER BY n"),
            {"given": given},
        )
        differing = [(one, key) for one, key in zip(given, keys, strict=True) if key != case_key(one)]
        await session.rollback()
    assert differing == []
    assert [pair for pair in EQUAL if case_key(pair[0]) != case_key(pair[1])] == []
    assert [pair for pair in DIFFERENT if case_key(pair[0]) == case_key(pair[1])] == []
