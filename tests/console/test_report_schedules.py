"""Reports on a schedule and in the background, as a manager sees them."""

from playwright.sync_api import Page, expect

from .conftest import OpenPage, RunningSystem, violations


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
        page.goto(page.url.rpartition("/")[0] + "/")
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
    page.get_by_role("link", name="Scheduled reports").click()
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
    recurrence = {"frequency": "daily", "time": "06:30"}
    fields = {"name": "Stock today", "report": "inventory-valuation", "recurrence": recurrence}
    schedule_id = system.call("POST", "/report-schedules", fields)["id"]
    path = f"/report-schedules?schedule={schedule_id}"
    schedule = open_page(path).get_by_role("region", name="Stock today")
    expect(schedule).to_contain_text("Daily at 06:30")
    expect(schedule.get_by_role("button", name="Edit")).to_be_visible()
    expect(open_page(path, role="manager").get_by_role("region", name="Not found")).to_be_visible()


def test_change_by_someone_else_is_not_overwritten(open_page: OpenPage, system: RunningSystem) -> None:
    recurrence = {"frequency": "daily", "time": "06:30"}
    fields = {"name": "Profit", "report": "profit", "period": "yesterday", "recurrence": recurrence}
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
    page.get_by_role("link", name="Background jobs").click()
    job = page.get_by_role("row").filter(has_text="Movements")
    expect(job).to_contain_text("Finished")
    with page.expect_download() as download:
        job.get_by_role("link", name="Download Movements").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    assert violations(page) == []
    job.get_by_role("button", name="Delete Movements").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(job).to_have_count(0)
