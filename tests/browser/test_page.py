"""The page in a real browser: a study from its form to its end, and what can be done with what it found."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect

from tests.acceptance.studies import trials_of, wait_until_ended
from tests.browser.conftest import OpenPage, TakePicture
from tests.server import Server

_END_S = 900.0
_METRICS = ("f1", "accuracy", "latency_ms", "latency_p90_ms", "macs", "params", "size_bytes", "memory_bytes", "score")
_PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def study_id() -> list[str]:
    """The study that the first test creates, for those after it."""
    return []


@pytest.fixture
def study_url(server: Server, study_id: list[str]) -> str:
    assert study_id, "the test that creates the study has to run first"
    return f"{server.url}/#/studies/{study_id[0]}"


def test_a_study_is_created_by_the_form_and_watched_to_its_end(
    server: Server, open_page: OpenPage, take_picture: TakePicture, study_id: list[str]
) -> None:
    page = open_page(f"{server.url}/#/new")
    page.get_by_label("Start from").select_option("Digits, to try it")
    page.get_by_label("name", exact=True).first.fill("by-hand")
    page.get_by_label("max trials").fill("3")
    page.get_by_role("group", name="budget").get_by_label("epochs", exact=True).fill("2")
    page.get_by_label("max candidates").fill("1")
    page.get_by_label("max candidates").press("Tab")
    text = page.get_by_label("As YAML")
    expect(text).to_have_value("""name: by-hand
dataset: {source: sklearn}
space:
  image_size: 16
  batch_size: [32, 64]
budget: {max_trials: 3, epochs: 2}
compression: {max_candidates: 1}
""")
    text.fill(text.input_value().replace("max_candidates: 1}", "max_candidates: 1, recipes: [fp32, static-int8]}"))
    expect(page.get_by_text("networks to draw from")).to_be_visible()
    take_picture(page, "new-study")
    page.get_by_role("button", name="Create the study").click()

    page.wait_for_url("**/#/studies/*")
    study_id.append(page.url.rsplit("/", 1)[1])
    expect(page.get_by_role("heading", name="by-hand")).to_be_visible()
    expect(page.locator(".badge.completed").first).to_be_visible(timeout=1000 * _END_S)
    with server.client() as client:
        study = wait_until_ended(client, study_id[0], timeout_s=_END_S)
    assert study["state"] == "COMPLETED", study["reason"]
    expect(page.locator(".page-head .badge")).to_have_text("completed")
    expect(page.get_by_text("3 of 3", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="The model to ship")).to_be_visible()


def test_a_mistake_in_the_yaml_is_named_and_nothing_can_be_created(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/#/new")
    page.get_by_label("As YAML").fill("name: a\ndataset: {source: sklearn}\nspace: {image_size: 4}\n")
    expect(page.get_by_text("space.image_size")).to_be_visible()
    expect(page.get_by_role("button", name="Create the study")).to_be_disabled()
    expect(page.get_by_label("image size")).to_have_value("4")


def test_the_leaderboard_is_sorted_compared_and_saved(open_page: OpenPage, study_url: str, tmp_path: Path) -> None:
    page = open_page(study_url)
    leaderboard = page.get_by_role("region", name="Leaderboard: one row per trial")
    leaderboard.get_by_role("button", name="F1").click()
    expect(leaderboard.locator("th[aria-sort=descending]")).to_have_text("F1")
    column = leaderboard.locator("tbody tr td:nth-child(2)")
    values = [float(text) for text in column.all_inner_texts()]
    assert values == sorted(values, reverse=True)
    boxes = leaderboard.get_by_role("checkbox")
    boxes.nth(0).check()
    boxes.nth(1).check()
    comparison = page.get_by_role("region", name="Comparison of the chosen trials")
    expect(comparison.get_by_role("rowheader", name="learning rate")).to_be_visible()
    panel = page.get_by_role("region", name="Leaderboard", exact=True)
    panel.get_by_text("Columns").click()
    panel.get_by_label("Accuracy").check()
    expect(leaderboard.get_by_role("columnheader", name="Accuracy")).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "trials.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "trials.csv").read_text())))
    assert [float(row["f1"]) for row in rows] == pytest.approx(values, abs=1e-4)


def test_the_leaderboard_is_filtered_by_the_keyboard_and_says_what_is_no_filter(
    server: Server, open_page: OpenPage, study_url: str, study_id: list[str]
) -> None:
    best = max(trial["metrics"]["f1"] for trial in _trials(server, study_id[0]))
    bests = sum(trial["metrics"]["f1"] == best for trial in _trials(server, study_id[0]))
    page = open_page(study_url)
    panel = page.get_by_role("region", name="Leaderboard", exact=True)
    rows = panel.locator("tbody tr")
    expect(panel.get_by_text("3 rows.", exact=True)).to_be_visible()
    panel.get_by_role("combobox", name="State").focus()
    page.keyboard.press("Tab")
    expect(panel.get_by_label("Where")).to_be_focused()
    page.keyboard.type(f"f1 >= {best}, params<=1e9")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(bests)
    panel.get_by_label("Where").fill("f1>=0.5, speed>=1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("alert")).to_have_text('There is no metric "speed"; known: ' + ", ".join(_METRICS))
    expect(panel.get_by_label("Where")).to_have_attribute("aria-invalid", "true")
    expect(rows).to_have_count(bests)
    violations = Axe().run(page).response["violations"]
    assert [_told(found) for found in violations if found["impact"] in ("serious", "critical")] == []
    panel.get_by_label("Where").fill("f1>=0.5, f1<=-1")
    panel.get_by_label("Where").press("Enter")
    expect(panel.get_by_text("Nothing matches the filter.")).to_be_visible()
    expect(panel.get_by_role("alert")).to_have_count(0)
    panel.get_by_label("Where").fill("")
    panel.get_by_label("Where").press("Enter")
    expect(rows).to_have_count(3)


def test_a_model_is_downloaded_and_runs(open_page: OpenPage, study_url: str, tmp_path: Path) -> None:
    page = open_page(study_url)
    winner = page.get_by_role("region", name="The model to ship")
    with page.expect_download() as download:
        winner.get_by_role("link", name="onnx").click()
    download.value.save_as(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession((tmp_path / "model.onnx").read_bytes())
    (logits,) = session.run(None, {"images": np.zeros((1, 3, 16, 16), np.float32)})
    assert logits.shape == (1, 10)


def test_a_picture_is_tried(open_page: OpenPage, study_url: str, tmp_path: Path) -> None:
    Image.new("RGB", (60, 40), "white").save(tmp_path / "picture.png")
    page = open_page(study_url)
    trying = page.get_by_role("region", name="Try it")
    trying.get_by_label("Picture to try").set_input_files(tmp_path / "picture.png")
    expect(trying.get_by_text("on the server")).to_be_visible()
    shares = [float(item.split()[-1]) for item in trying.get_by_role("listitem").all_inner_texts()]
    assert 0.5 < sum(shares) <= 1.0001
    assert shares == sorted(shares, reverse=True)


def test_a_trial_shows_how_it_learned_and_what_it_confuses(
    open_page: OpenPage, take_picture: TakePicture, study_url: str
) -> None:
    page = open_page(study_url)
    page.get_by_role("region", name="Leaderboard: one row per trial").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Learning curve")).to_be_visible()
    expect(page.get_by_role("region", name="F1 per class, on the validation split").get_by_role("row")).to_have_count(
        11
    )
    expect(page.get_by_role("img", name="images").first).to_be_visible()
    expect(page.get_by_text("Middle half").first).to_be_visible()
    expect(page.locator(".network li .block").first).to_be_visible()
    take_picture(page, "trial")
    page.get_by_role("button", name="Train in full").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("path", ["studies", "study", "trial", "new", "datasets", "cluster"])
def test_nothing_serious_is_in_the_way_of_anyone(
    server: Server, open_page: OpenPage, take_picture: TakePicture, study_id: list[str], colours: str, path: str
) -> None:
    trial = _first_trial(server, study_id[0])
    places = {"study": f"studies/{study_id[0]}", "trial": f"trials/{trial}"}
    page = open_page(f"{server.url}/#/{places.get(path, path)}", color_scheme=colours)
    expect(page.locator("main[aria-busy]")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if path == "study":
        expect(page.locator(".main-svg").first).to_be_visible()
        take_picture(page, f"study-{colours}")
    violations = Axe().run(page).response["violations"]
    assert [_told(found) for found in violations if found["impact"] in ("serious", "critical")] == []


def test_a_phone_shows_the_study_without_scrolling_sideways(
    open_page: OpenPage, take_picture: TakePicture, study_url: str
) -> None:
    page = open_page(study_url, viewport=_PHONE, has_touch=True)
    expect(page.locator(".main-svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= _PHONE["width"]
    take_picture(page, "study-phone")


def test_the_keyboard_reaches_the_content_and_the_actions(server: Server, open_page: OpenPage) -> None:
    page = open_page(f"{server.url}/")
    expect(page.get_by_role("heading", name="Studies")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main').contains(document.activeElement)")


def _first_trial(server: Server, study_id: str) -> str:
    return str(_trials(server, study_id)[0]["id"])


def _trials(server: Server, study_id: str) -> list[dict[str, Any]]:
    with server.client() as client:
        return trials_of(client, study_id)


def _told(violation: dict[str, Any]) -> str:
    nodes = [node["html"][:200] for node in violation["nodes"][:3]]
    return f"{violation['id']}: {json.dumps(nodes)}"
