"""The page in a real browser: no console errors, everything visible, on a phone and at a desk."""

import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

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


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium and chromium-driver")
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
    assert "Does the plain net degrade? Yes" in browser.find_element(By.CLASS_NAME, "verdicts").text
    background = browser.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (background == "rgba(255, 255, 255, 1)") == (scheme == "light")
