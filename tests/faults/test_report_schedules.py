"""The process that works on scheduled reports is killed at each step from the run to the e-mail, under load."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

import pytest

from stockbuddy.chassis.testing.mailbox import Mailbox
from tests.faults.conftest import PUBLIC_URL
from tests.faults.deployment import Deployment
from tests.faults.jobs import VerifiedJobs, send
from tests.faults.steps import Step, steps_of_jobs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SCHEDULES = 4

EMAIL = "notifications.queued_email"
READY = "NEW.kind = 'report_ready'"
STOCK_STEPS = [
    Step("run claimed, no job", "INSERT", "stock.job", "true"),
    Step("job created", "INSERT", "stock.job", "true", commits=True),
    *steps_of_jobs("stock"),
]
NOTIFICATIONS_STEPS = [
    Step("notification and e-mail written, not committed", "INSERT", EMAIL, READY),
    Step("notification committed, event not acknowledged", "INSERT", EMAIL, READY, commits=True),
    Step("e-mail leased, not sent", "UPDATE", EMAIL, f"NEW.attempts > OLD.attempts AND {READY}", commits=True),
    Step("e-mail sent, not recorded as such", "UPDATE", EMAIL, f"NEW.state = 'sent' AND {READY}"),
]
STEPS = [*(("stock", step) for step in STOCK_STEPS), *(("notifications", step) for step in NOTIFICATIONS_STEPS)]

IS_CONFIRMED = "SELECT email_confirmed FROM notifications.user_replica WHERE username = 'ada'"
# As if they had been due during an outage.
MAKE_DUE = "UPDATE stock.report_schedule SET next_run_at = now() - interval '3 days'"
SENT = f"SELECT count(*) FROM {EMAIL} WHERE kind = 'report_ready' AND state = 'sent' AND path = ANY($1)"
RUNS = "SELECT count(*) FROM notifications.event_log WHERE type = 'stock.report.produced' AND data->>'name' = $1"
JOBS = "SELECT count(*) FROM stock.job WHERE id > $1"
NOTIFICATIONS = "SELECT count(*) FROM notifications.notification WHERE kind = 'report_ready' AND about_subject = $1"


@dataclass(frozen=True)
class Schedule:
    id: int
    name: str

    @property
    def path(self) -> str:
        """Of the link in the e-mail."""
        return f"/report-schedules?schedule={self.id}"


@pytest.fixture(scope="session")
async def reporting(mailing_deployment: Deployment, mailbox: Mailbox) -> Deployment:
    """Its admin has confirmed the e-mail address."""
    token = await mailbox.until_token_received("ada@example.com")
    confirmed = await mailing_deployment.client.post("/auth/email/confirm", {"token": token}, key="confirm")
    assert confirmed.accepted, confirmed.body
    await mailing_deployment.verifier.wait_until(IS_CONFIRMED, True)
    return mailing_deployment


@pytest.mark.parametrize(("name", "step"), STEPS, ids=lambda value: getattr(value, "name", value).replace(" ", "-"))
async def test_each_run_has_one_job_one_notification_and_one_email(
    reporting: Deployment, mailbox: Mailbox, name: str, step: Step
) -> None:
    program, verifier = reporting.programs[name], reporting.verifier
    fault = f"schedules, {name} killed: {step.name}"
    schedules = [await create_schedule(reporting, f"{fault} {number}") for number in range(SCHEDULES)]
    starts, received = program.starts, len(mailbox.messages)
    last_job = await verifier.value("SELECT coalesce(max(id), 0) FROM stock.job")
    async with reporting.load(f"schedules-{name}-{step.name}") as load:
        async with step.killing(program, verifier):
            await verifier.execute(MAKE_DUE)
        # An e-mail that a dead process was sending is sent again after 120 s.
        await verifier.wait_until(SENT, SCHEDULES, [schedule.path for schedule in schedules])
        await load.wait_until_acknowledged(20)
    assert program.starts == starts + 1
    await verifier.verify(fault, load)
    assert await verifier.value(JOBS, last_job) == SCHEDULES
    await verify_runs(fault, reporting, schedules, mailbox.messages[received:])
    for schedule in schedules:
        assert (await send(reporting, "DELETE", f"/api/v1/report-schedules/{schedule.id}"))[0] == 204


async def create_schedule(deployment: Deployment, name: str) -> Schedule:
    body = {
        "name": name,
        "report": "sales",
        "period": "today",
        "format": "csv",
        "recurrence": {"frequency": "monthly", "day_of_month": 31, "time": "07:00"},
    }
    created = await deployment.client.post("/report-schedules", body, key=name)
    assert created.accepted, created.body
    return Schedule(created.body["id"], name)


async def verify_runs(
    fault: str, deployment: Deployment, schedules: Sequence[Schedule], emails: Sequence[EmailMessage]
) -> None:
    """Assert that each schedule had one run with one result, one notification and one e-mail. Everything is processed.

    A copy of an e-mail has its Message-ID, by which mailboxes drop it: SMTP leaves open whether a server has accepted
    an e-mail when the connection ends (ADR 45).
    """
    value, different = deployment.verifier.value, {email["Message-ID"]: email for email in emails}
    links = Counter(link for email in different.values() for link in links_of(email))
    counts = {
        schedule: (
            await value(RUNS, schedule.name),
            await value(NOTIFICATIONS, f"report-schedule/{schedule.id}"),
            links[PUBLIC_URL + schedule.path],
        )
        for schedule in schedules
    }
    verified = VerifiedJobs(
        fault,
        requested=len(schedules),
        done=sum(min(each) > 0 for each in counts.values()),
        lost=sum(each.count(0) for each in counts.values()),
        duplicated=sum(max(0, count - 1) for each in counts.values() for count in each),
        repeated=0,
    )
    print(f"\n{verified}, copies with the same Message-ID {len(emails) - len(different)}")
    assert (verified.done, verified.lost, verified.duplicated) == (len(schedules), 0, 0), counts


def links_of(email: EmailMessage) -> list[str]:
    part = email.get_body(("plain",))
    return [] if part is None else [word for word in part.get_content().split() if word.startswith(PUBLIC_URL)]
