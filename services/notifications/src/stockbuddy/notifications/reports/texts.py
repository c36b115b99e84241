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
    """Format strings with the values of the texts, for one language. `days`: the format of a day."""

    ready: Content
    failed: Content
    paused: Content
    reasons: Mapping[str, str]
    days: str


_WORDINGS: Mapping[Language, _Wording] = {
    "en": _Wording(
        ready=Content("Report: {name}", "The report is ready. It can be downloaded until {until}."),
        failed=Content("Report failed: {name}", "The report could not be produced ({problem})."),
        paused=Content("Report paused: {name}", "{reason}"),
        reasons={
            "owner_inactive": "The report is no longer produced, because the account of its owner is not active.",
            "permission_revoked": "The report is no longer produced, because you may no longer read it.",
        },
        days="%Y-%m-%d",
    ),
    "de": _Wording(
        ready=Content("Bericht: {name}", "Der Bericht ist fertig. Er kann bis zum {until} heruntergeladen werden."),
        failed=Content("Bericht fehlgeschlagen: {name}", "Der Bericht konnte nicht erstellt werden ({problem})."),
        paused=Content("Bericht angehalten: {name}", "{reason}"),
        reasons={
            "owner_inactive": "Der Bericht wird nicht mehr erstellt, weil das Konto seines Besitzers nicht aktiv ist.",
            "permission_revoked": "Der Bericht wird nicht mehr erstellt, weil Sie ihn nicht mehr lesen dürfen.",
        },
        days="%d.%m.%Y",
    ),
    "es": _Wording(
        ready=Content("Informe: {name}", "El informe está listo. Se puede descargar hasta el {until}."),
        failed=Content("Informe fallido: {name}", "No se pudo generar el informe ({problem})."),
        paused=Content("Informe en pausa: {name}", "{reason}"),
        reasons={
            "owner_inactive": "El informe ya no se genera porque la cuenta de su propietario no está activa.",
            "permission_revoked": "El informe ya no se genera porque usted ya no puede leerlo.",
        },
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
        return _filled(_WORDINGS[language].failed, name=event.name, problem=event.problem_code)

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
