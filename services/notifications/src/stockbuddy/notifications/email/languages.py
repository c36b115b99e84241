"""What an e-mail says besides its content, by language."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Language = Literal["en", "de", "es"]
ENGLISH: Language = "en"


@dataclass(frozen=True, slots=True)
class Frame:
    """`others` follows the subject of the first content; `reason` is why the recipient gets the e-mail."""

    others: str
    reason: str
    link: str


FRAMES: Mapping[Language, Frame] = {
    "en": Frame(
        others=" (and {count} more)",
        reason="You receive this because of your notification preferences or the alert addresses in the settings",
        link="Open in Stockbuddy",
    ),
    "de": Frame(
        others=" (und {count} weitere)",
        reason="Sie erhalten dies wegen Ihrer Einstellungen für Benachrichtigungen oder der Warnadressen des Systems",
        link="In Stockbuddy öffnen",
    ),
    "es": Frame(
        others=" (y {count} más)",
        reason="Recibe esto por sus preferencias de notificaciones o por las direcciones de alerta de los ajustes",
        link="Abrir en Stockbuddy",
    ),
}


def language_of(code: str) -> Language:
    """English for a code that only a newer release knows."""
    return next((language for language in get_args(Language) if language == code), ENGLISH)
