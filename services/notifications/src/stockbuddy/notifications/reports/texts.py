"""Texts about scheduled reports: in English for the app, with the values for other languages, and in the language of
the schedule for e-mails."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from stockbuddy.contracts.stock import ReportFailed, ReportProduced, ReportSchedulePaused
from stockbuddy.notifications.alert_text import AlertText
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.email.languages import ENGLISH, Language, language_of


@dataclass(frozen=True, slots=True)
class _Wording:
    """Format strings with the values of the texts, for one language. `reasons` of a pause and `failures` of a run are
    by code, with `unknown_failure` for other codes. `days`: the format of a day."""

    ready: Content
    failed: Content
    paused: Content
    reasons: Mapping[str, str]
    failures: Mapping[str, str]
    unknown_failure: str
    days: str


_WORDINGS: Mapping[Language, _Wording] = {
    "en": _Wording(
        ready=Content("Report: {name}", "The report is ready. It can be downloaded until {until}."),
        failed=Content("Report failed: {name}", "The report could not be produced. {problem}"),
        paused=Content("Report paused: {name}", "{reason}"),
        reasons={
            "owner_inactive": "The report is no longer produced, because the account of its owner is not active.",
            "permission_revoked": "The report is no longer produced, because you may no longer read it.",
        },
        failures={
            "result_too_large": "The result is larger than 256 MiB. Choose a shorter period or fewer products.",
            "job_interrupted": "It was interrupted five times. Try a shorter period.",
            "forbidden": "It asks for what its owner may not see.",
            "validation_error": "Its settings are not valid any more. Check the warehouse and the period.",
            "service_unavailable": "A part of the system was not available.",
            "service_timeout": "It took too long. Choose a shorter period.",
        },
        unknown_failure="An unexpected error occurred. Tell an admin if it happens again.",
        days="%Y-%m-%d",
    ),
    "de": _Wording(
        ready=Content("Bericht: {name}", "Der Bericht ist fertig. Er kann bis zum {until} heruntergeladen werden."),
        failed=Content("Bericht fehlgeschlagen: {name}", "Der Bericht konnte nicht erstellt werden. {problem}"),
        paused=Content("Bericht angehalten: {name}", "{reason}"),
        reasons={
            "owner_inactive": "Der Bericht wird nicht mehr erstellt, weil das Konto seines Besitzers nicht aktiv ist.",
            "permission_revoked": "Der Bericht wird nicht mehr erstellt, weil Sie ihn nicht mehr lesen dürfen.",
        },
        failures={
            "result_too_large": "Das Ergebnis ist größer als 256 MiB. "
            "Wählen Sie einen kürzeren Zeitraum oder weniger Produkte.",
            "job_interrupted": "Die Erstellung wurde fünfmal unterbrochen. "
            "Versuchen Sie es mit einem kürzeren Zeitraum.",
            "forbidden": "Angefordert ist etwas, das der Besitzer nicht sehen darf.",
            "validation_error": "Die Angaben sind nicht mehr gültig. Prüfen Sie das Lager und den Zeitraum.",
            "service_unavailable": "Ein Teil des Systems war nicht verfügbar.",
            "service_timeout": "Es hat zu lange gedauert. Wählen Sie einen kürzeren Zeitraum.",
        },
        unknown_failure="Ein unerwarteter Fehler ist aufgetreten. "
        "Melden Sie es einem Administrator, wenn es wieder geschieht.",
        days="%d.%m.%Y",
    ),
    "es": _Wording(
        ready=Content("Informe: {name}", "El informe está listo. Se puede descargar hasta el {until}."),
        failed=Content("Informe fallido: {name}", "No se pudo generar el informe. {problem}"),
        paused=Content("Informe en pausa: {name}", "{reason}"),
        reasons={
            "owner_inactive": "El informe ya no se genera porque la cuenta de su propietario no está activa.",
            "permission_revoked": "El informe ya no se genera porque usted ya no puede leerlo.",
        },
        failures={
            "result_too_large": "El resultado supera los 256 MiB. Elija un periodo más corto o menos productos.",
            "job_interrupted": "La generación se interrumpió cinco veces. Pruebe con un periodo más corto.",
            "forbidden": "Solicita algo que su propietario no puede ver.",
            "validation_error": "Los datos ya no son válidos. Compruebe el almacén y el periodo.",
            "service_unavailable": "Una parte del sistema no estaba disponible.",
            "service_timeout": "Tardó demasiado. Elija un periodo más corto.",
        },
        unknown_failure="Se produjo un error inesperado. Avise a un administrador si vuelve a ocurrir.",
        days="%d/%m/%Y",
    ),
}


def report_ready(event: ReportProduced, zone: ZoneInfo) -> tuple[AlertText, Content]:
    """The text in the app, and the content of the e-mail. Days are those of the company's time zone."""

    def content(language: Language) -> Content:
        wording = _WORDINGS[language]
        return _filled(wording.ready, name=event.name, until=_day(event.expires_at, zone, wording))

    values = {"name": event.name, "expires_at": event.expires_at.isoformat()}
    return AlertText("report_ready", values, content(ENGLISH)), content(language_of(event.language))


def report_failed(event: ReportFailed) -> tuple[AlertText, Content]:
    def content(language: Language) -> Content:
        wording = _WORDINGS[language]
        problem = wording.failures.get(event.problem_code, wording.unknown_failure)
        return _filled(wording.failed, name=event.name, problem=problem)

    values = {"name": event.name, "problem": event.problem_code}
    return AlertText("report_failed", values, content(ENGLISH)), content(language_of(event.language))


def report_paused(event: ReportSchedulePaused) -> tuple[AlertText, Content]:
    reason = event.pause_reason or "permission_revoked"

    def content(language: Language) -> Content:
        wording = _WORDINGS[language]
        return _filled(wording.paused, name=event.name, reason=wording.reasons.get(reason, reason))

    values = {"name": event.name, "reason": reason}
    return AlertText("report_schedule_paused", values, content(ENGLISH)), content(language_of(event.language))


def _filled(wording: Content, **values: str) -> Content:
    return Content(wording.title.format(**values), wording.body.format(**values))


def _day(moment: datetime, zone: ZoneInfo, wording: _Wording) -> str:
    return moment.astimezone(zone).strftime(wording.days)
