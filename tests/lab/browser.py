"""A headless Chromium with docs/index.html, the network cut: what the page's tests look through."""
import base64
import json
import shutil
from pathlib import Path

import outside
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

PAGE = (outside.CLONE / 'docs' / 'index.html').as_uri()
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'chrome',
            '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome')
MISSING = 'no Chromium with its chromedriver on PATH, the page is not looked at: apt-get install chromium-driver'


def found():
    """The paths of a Chromium and of its driver, None for what is missing."""
    return next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which('chromedriver')


class Browser:
    """One window; `run` is JavaScript in it, its arguments as `arguments`."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location, driver = found()
        for argument in ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'):
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        self.driver = webdriver.Chrome(options=options, service=Service(driver))
        self.driver.set_script_timeout(60)
        self.devtools('Network.enable')
        self.devtools('Network.emulateNetworkConditions', offline=True, latency=0, downloadThroughput=0,
                      uploadThroughput=0)

    def devtools(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition='true'):
        """Until the next picture for which the condition, an expression, holds."""
        self.driver.execute_async_script(
            f'const look = () => requestAnimationFrame(() => lab.state.run && !lab.state.frame && ({condition}) '
            '? arguments[0]() : look()); look();')

    def open(self, address='', width=1200, height=900, **media):
        """A new window, as it were: the page with what follows the # in its address, and CSS media features."""
        self.size(width, height)
        self.media(**{'prefers_reduced_motion': 'reduce', **media})
        self.driver.get('about:blank')
        self.driver.get(f'{PAGE}#{address}')
        self.wait()

    def size(self, width, height):
        self.is_altered = True
        self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                      mobile=False)

    def media(self, kind='', **features):
        self.is_altered = True
        self.devtools('Emulation.setEmulatedMedia', media=kind, features=[
            {'name': name.replace('_', '-'), 'value': value} for name, value in features.items()])

    def reset(self):
        """The section's settings, at 1200 x 900 in light; the page is loaded again where a test has changed these."""
        if self.is_altered:
            self.open()
            self.is_altered = False
        else:
            self.go('')

    def go(self, address):
        """The page that is loaded, with another address."""
        self.run("history.replaceState(null, '', `#${arguments[0]}`); window.dispatchEvent(new Event('popstate'))",
                 address)
        self.wait()

    def set(self, address):
        """Other settings, by the page's own hand; and the run that they give."""
        self.run('lab.set(arguments[0])', address)
        self.wait()
        return self.run('const { settings, epochs, losses, diverged } = lab.state.run;'
                        'return { settings, epochs, losses, diverged }')

    def text(self, selector):
        return self.run('return document.querySelector(arguments[0]).textContent', selector)

    def screenshot(self, path):
        Path(path).write_bytes(base64.b64decode(self.devtools('Page.captureScreenshot')['data']))

    def said(self):
        """What the console holds since the last look, and the addresses that were asked for."""
        events = [json.loads(entry['message'])['message'] for entry in self.driver.get_log('performance')]
        asked = [event['params'] for event in events if event['method'] == 'Network.requestWillBeSent']
        return ([entry['message'] for entry in self.driver.get_log('browser')],
                [each['request']['url'] for each in asked])

    def close(self):
        self.driver.quit()
