"""Reports on a schedule and in the background, as a manager sees them."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from stockbuddy.local_servers.postgres import LocalPostgres

from .conftest import PASSWORD, OpenPage, RunningSystem, log_in, new_context, running_system, violations, watch
from .database import Database

DAILY = {"frequency": "daily", "time": "06:30"}
INTERRUPTED = "It was interrupted five times. Try a shorter period."
# As if the worker had died in the last attempt.
INTERRUPT = "UPDATE stock.job SET runner = gen_random_uuid(), lease_until = now(), attempts = 5 WHERE state = 'running'"
IS_RUNNING = "SELECT EXISTS (SELECT FROM stock.job WHERE state = 'running')"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with LocalPostgres.start(tmp_path_factory.mktemp("database")) as server:
        database = Database(server.url)
        yield database
        database.close()


@pytest.fixture(scope="module")
def new_system(
    built_console: None, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSystem]:
    """With a database that the tests can reach."""
    with running_system(tmp_path_factory.mktemp("console"), DATABASE_URL=database.url) as system:
        yield system


def create_schedule(page: Page, name: str) -> None:
    page.get_by_role("button", name="New schedule").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Report").select_option("sales")
    dialog.get_by_label("Period").select_option("last_7_days")
    dialog.get_by_label("Repeated").select_option("weekly")
    dialog.get_by_label("Friday").check()
    assert violations(page) == []
    dialog.get_by_role("button", name="Create").click()
    expect(page.get_by_role("region", name=name)).to_be_visible()


def test_pages_are_found_in_the_navigation_and_by_ctrl_k_with_the_permission(open_page: OpenPage) -> None:
    page = open_page("/", role="manager")
    navigation = page.get_by_role("navigation", name="Navigation")
    for name in ("Scheduled reports", "Background jobs"):
        navigation.get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        navigation.get_by_role("link", name="Home").click()
        expect(page.get_by_role("heading", name="Home", level=1)).to_be_visible()
        page.keyboard.press("Control+k")
        page.keyboard.type(name.lower())
        expect(page.get_by_role("option", name=name)).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
    page = open_page("/products", role="viewer")
    navigation = page.get_by_role("navigation", name="Navigation")
    expect(navigation.get_by_role("link", name="Notifications")).to_be_visible()
    for name in ("Scheduled reports", "Background jobs"):
        expect(navigation.get_by_role("link", name=name)).to_have_count(0)


def test_manager_schedules_a_report_runs_it_and_pauses_it(open_page: OpenPage) -> None:
    page = open_page("/reports", role="manager")
    page.get_by_role("main").get_by_role("link", name="Scheduled reports").click()
    create_schedule(page, "Weekly sales")
    schedule = page.get_by_role("region", name="Weekly sales")
    expect(schedule).to_contain_text("Monday and Friday at 07:00 (Europe/Berlin)")
    assert violations(page) == []

    schedule.get_by_role("button", name="Run now").click()
    result = schedule.get_by_role("link", name="Download the latest result")
    expect(result).to_be_visible()
    expect(schedule).to_contain_text("Finished")
    with page.expect_download() as download:
        result.click()
    assert download.value.suggested_filename.endswith(".xlsx")

    schedule.get_by_role("button", name="Pause").click()
    expect(schedule.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Weekly sales")).to_contain_text("Paused")
    page.goto(page.url.split("/report-schedules")[0] + "/notifications")
    expect(page.get_by_role("row").filter(has_text="Report: Weekly sales")).to_contain_text("The report is ready.")


def test_address_opens_a_schedule_for_its_readers_only(open_page: OpenPage, system: RunningSystem) -> None:
    fields = {"name": "Stock today", "report": "inventory-valuation", "recurrence": DAILY}
    schedule_id = system.call("POST", "/report-schedules", fields)["id"]
    path = f"/report-schedules?schedule={schedule_id}"
    schedule = open_page(path).get_by_role("region", name="Stock today")
    expect(schedule).to_contain_text("Daily at 06:30")
    expect(schedule.get_by_role("button", name="Edit")).to_be_visible()
    expect(open_page(path, role="manager").get_by_role("region", name="Not found")).to_be_visible()


def test_change_by_someone_else_is_not_overwritten(open_page: OpenPage, system: RunningSystem) -> None:
    fields = {"name": "Profit", "report": "profit", "period": "yesterday", "recurrence": DAILY}
    schedule_id = system.call("POST", "/report-schedules", fields)["id"]
    page = open_page(f"/report-schedules?schedule={schedule_id}")
    page.get_by_role("region", name="Profit").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Mine")
    system.call("PATCH", f"/report-schedules/{schedule_id}", {"name": "Theirs"})
    expect(page.get_by_role("row", include_hidden=True).filter(has_text="Theirs")).to_have_count(1)
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_be_visible()
    assert system.call("GET", f"/report-schedules/{schedule_id}")["name"] == "Theirs"


def test_report_in_the_background_appears_among_the_jobs(open_page: OpenPage) -> None:
    page = open_page("/reports?report=movements", role="manager")
    page.get_by_role("button", name="In the background").click()
    expect(page.get_by_text("The report is being produced.")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="Background jobs").click()
    job = page.get_by_role("row").filter(has_text="Movements")
    expect(job).to_contain_text("Finished")
    with page.expect_download() as download:
        job.get_by_role("link", name="Download Movements").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert violations(page) == []
    job.get_by_role("button", name="Delete Movements").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)


def test_manager_chooses_recipients_by_name(open_page: OpenPage) -> None:
    page = open_page("/report-schedules", role="manager")
    page.get_by_role("button", name="New schedule").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("For the team")
    recipients = dialog.get_by_role("list", name="Recipients")
    picker = dialog.get_by_role("combobox", name="Add a recipient")
    options = dialog.get_by_role("listbox", name="Add a recipient").get_by_role("option")
    picker.press("ArrowDown")
    expect(options).to_have_text(["ada", "mia", "samMay not see all of it"])
    picker.press_sequentially("ada")
    expect(options).to_have_text(["ada"])
    picker.press("Enter")
    expect(recipients.get_by_role("listitem")).to_have_count(2)
    picker.press_sequentially("sam")
    picker.press("Enter")
    expect(dialog).to_contain_text("Not sent to sam: your reports show what they may not see")
    assert violations(page) == []
    for name in ("sam", "mia"):
        recipients.get_by_role("button", name=f"Remove {name}").press("Enter")
    expect(recipients).to_be_focused()
    expect(dialog).not_to_contain_text("Not sent to")
    dialog.get_by_role("button", name="Add me").press("Enter")
    dialog.get_by_role("button", name="Create").press("Enter")
    schedule = page.get_by_role("region", name="For the team")
    expect(schedule).to_contain_text("ada, mia")
    schedule.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog").get_by_role("list", name="Recipients")).to_contain_text("ada")


def jobs_page(open_page: OpenPage, path: str) -> tuple[Page, Locator]:
    """With a job of the manager for the report, and the row of this job."""
    page = open_page("/jobs", role="manager")
    url = f"{page.url.rpartition('/')[0]}/api/v1{path}"
    assert page.request.get(url, headers={"Prefer": "respond-async"}).status == 202
    return page, page.get_by_role("row").filter(has_text="Sales").filter(has_text="By: Month")


def test_running_job_is_stopped(open_page: OpenPage, database: Database) -> None:
    with database.locked("stock.sale"):
        page, job = jobs_page(open_page, "/reports/sales?group_by=month&from=2026-01-05&format=csv")
        expect(job).to_contain_text("Running")
        expect(job).to_contain_text("From: 5 Jan 2026 · CSV")
        assert violations(page) == []
        job.get_by_role("button", name="Stop Sales").press("Enter")
        page.get_by_role("dialog").get_by_role("button", name="Stop").press("Enter")
        expect(job).to_have_count(0)
    expect(page.get_by_role("status", name="Loading")).to_have_count(0)


def test_failed_job_says_why_and_is_deleted(open_page: OpenPage, database: Database) -> None:
    with database.locked("stock.sale"):
        page, job = jobs_page(open_page, "/reports/sales?group_by=month")
        database.wait_until(IS_RUNNING)
        database.execute(INTERRUPT)
    expect(job).to_contain_text(f"Failed{INTERRUPTED}")
    expect(job.get_by_role("link", name="Download Sales")).to_have_count(0)
    assert violations(page) == []
    job.get_by_role("button", name="Delete Sales").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)


def test_jobs_of_one_service_remain_visible_without_the_other(open_page: OpenPage) -> None:
    page, job = jobs_page(open_page, "/reports/sales?group_by=month")
    page.route("**/api/v1/jobs/catalog*", lambda route: route.fulfill(status=503, json={"code": "service_unavailable"}))
    page.reload()
    expect(job).to_contain_text("Finished")
    expect(page.get_by_role("alert")).to_contain_text("This could not be loaded")
    page.unroute("**/api/v1/jobs/catalog*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_failed_schedule_says_why_in_the_language(open_page: OpenPage, database: Database) -> None:
    page = open_page("/report-schedules", role="manager")
    create_schedule(page, "Interrupted")
    schedule = page.get_by_role("region", name="Interrupted")
    with database.locked("stock.sale"):
        schedule.get_by_role("button", name="Run now").click()
        expect(schedule.get_by_role("button", name="Run now")).to_be_disabled()
        database.wait_until(IS_RUNNING)
        database.execute(INTERRUPT)
    expect(schedule).to_contain_text(INTERRUPTED)
    expect(page.get_by_role("row").filter(has_text="Interrupted")).to_contain_text("Failed")
    page.reload()  # the colours of the button, which was disabled, change slowly
    expect(schedule.get_by_role("button", name="Run now")).to_be_enabled()
    assert violations(page) == []
    german = open_page("/notifications", role="manager", locale="de-DE")
    notification = german.get_by_role("row").filter(has_text="Bericht fehlgeschlagen: Interrupted")
    expect(notification).to_contain_text("Die Erstellung wurde fünfmal unterbrochen.")
    notification.get_by_role("link").click()
    expect(german.get_by_role("region", name="Interrupted")).to_contain_text(
        "Die Erstellung wurde fünfmal unterbrochen."
    )


def test_schedule_is_paused_when_its_owner_may_not_read_the_report(
    system: RunningSystem, browser: Browser, database: Database
) -> None:
    user = {"username": "pia", "email": "pia@example.com", "password": PASSWORD}
    path = f"/users/{system.call('POST', '/auth/register', user)['id']}"
    system.call("PATCH", path, {"role": "manager"})
    context = new_context(browser, viewport={"width": 360, "height": 800})
    page = watch(context.new_page())
    log_in(page, system.url, "pia")
    token = system.http.post("/api/v1/auth/login", json={"username": "pia", "password": PASSWORD}).json()
    schedule = {"name": "Our profit", "report": "profit", "period": "yesterday", "recurrence": DAILY}
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    schedule_id = system.call("POST", "/report-schedules", schedule, **headers)["id"]
    system.call("PATCH", path, {"role": "salesperson"})
    database.wait_until("SELECT role = 'salesperson' FROM stock.user_replica WHERE username = 'pia'")
    database.execute("UPDATE stock.report_schedule SET next_run_at = now() WHERE id = $1", schedule_id)
    database.wait_until("SELECT is_paused FROM stock.report_schedule WHERE id = $1", schedule_id)
    page.goto(f"{system.url}/notifications")
    row = page.get_by_role("row").filter(has_text="Report paused: Our profit")
    expect(row).to_contain_text("The report is no longer produced, because you may no longer read it.")
    row.get_by_role("link").click()
    paused = page.get_by_role("region", name="Our profit")
    expect(paused.get_by_role("alert")).to_contain_text("Its owner may no longer read the report.")
    expect(page.get_by_role("row").filter(has_text="Our profit")).to_contain_text("Paused")
    assert violations(page) == []
    paused.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(re.compile("permission"))).to_be_visible()
    context.close()


def test_viewer_is_told_that_reports_are_not_permitted(open_page: OpenPage) -> None:
    page = open_page("/report-schedules", role="viewer")
    expect(page.get_by_role("alert")).to_contain_text("Not permitted")
    expect(page.get_by_role("button", name="New schedule")).to_have_count(0)
    assert violations(page) == []
