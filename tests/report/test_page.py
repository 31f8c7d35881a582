"""The page in a real browser: no console errors, everything visible, on a phone and at a desk."""

import shutil
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def browser(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("headless", "no-sandbox", "disable-gpu", "disable-background-networking"):
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={tmp_path / 'profile'}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(shutil.which("chromedriver"))
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Debian's chromium and chromium-driver"
)


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_opens_without_errors_and_shows_everything(browser, written, width, scheme):
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    feature = {"name": "prefers-color-scheme", "value": scheme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    browser.get((written.directory / "index.html").as_uri())
    assert browser.get_log("browser") == []
    requested = [e["message"] for e in browser.get_log("performance") if '"http' in e["message"]]
    assert not [m for m in requested if "Network.requestWillBeSent" in m and '"url":"http' in m]
    overflow = "return document.documentElement.scrollWidth - window.innerWidth"
    assert browser.execute_script(overflow) <= 0  # wide tables scroll in their own box
    tables, figures = (browser.find_elements(By.TAG_NAME, n) for n in ("table", "figure"))
    assert len(tables) == 8
    assert len(figures) == 4
    for element in (*tables, *figures):
        assert element.is_displayed()
        assert element.size["height"] > 40
    for table in tables[:5]:  # the gap, last of the columns, is seen without scrolling
        assert table.size["width"] <= width - 2 * 16
    shown = [p for p in browser.find_elements(By.CLASS_NAME, "picture") if p.is_displayed()]
    assert len(shown) == 4  # for a phone, or for a desk
    assert all(picture.size["width"] <= width for picture in shown)
    assert ("narrow" in shown[0].get_attribute("class")) == (width == 390)
    assert "Does the plain net degrade? Yes" in browser.find_element(By.CLASS_NAME, "verdicts").text
    background = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (background == "rgba(255, 255, 255, 1)") == (scheme == "light")


@pytest.mark.slow
@needs_chromium
def test_curves_show_their_values_and_cells_lead_to_their_runs(browser, written):
    """By pointer and by arrow keys; a run's directory and settings are a click away."""
    browser.get((written.directory / "index.html").as_uri())
    picture = browser.find_element(By.CLASS_NAME, "picture")
    note = picture.find_element(By.CLASS_NAME, "values")
    picture.click()
    picture.send_keys(Keys.ARROW_RIGHT)
    assert note.text.splitlines()[0] == "plain, training, step 10"
    assert "56 clean 16" in note.text  # 0.06 + 1/10
    svg = picture.find_element(By.TAG_NAME, "svg")
    ActionChains(browser).move_to_element_with_offset(svg, -150, -100).perform()
    assert note.text.startswith("plain, training, step")
    cell = browser.find_element(By.LINK_TEXT, "6.00 ± 0.50 (3)")
    runs = browser.find_element(By.ID, cell.get_attribute("href").split("#")[1])
    assert not runs.is_displayed()
    cell.click()
    assert runs.is_displayed()
    links = [link.get_attribute("href") for link in runs.find_elements(By.TAG_NAME, "a")]
    assert len(links) == 3 * 3
    assert all(Path(unquote(urlparse(link).path)).exists() for link in links)
