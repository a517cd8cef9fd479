"""The page in a browser with the network cut: true numbers, every control, every width, for eyes, ears and paper."""
import base64
import json
from importlib.resources import files
from urllib.parse import parse_qsl

import browser as browsers
import outside
import pytest
import time_page
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

import chapter_adam
from chapter_adam.core import training

SEEDS = json.loads((outside.CLONE / 'figures' / 'seeds.json').read_text())
AXE = (files('axe_core_python') / 'axe.min.js').read_text(encoding='utf-8')
START = '0.1,0.8,0,-0.3,-0.8,0.2'

# settings as the address has them, and what the cell needs beside the book's call
RUNS = {
    '': 'gb.train_ch7(gb.adam, ',
    'lr=0.3&seed=7': 'seed=7',
    'beta1=0&beta2=0.5&eps=0.1&batchSize=7&epochs=3': "'beta1': 0",
    'correction=none': 'gb.adam_uncorrected',
    'correction=none&epsPlace=inside&eps=0.01': 'v_hat = v\n',
    'epsPlace=hat&eps=0.1&beta2=0.9&firstT=2': "'t': 2",
    'divideLastBy=full&rows=1500&batchSize=64': 'n=1500',
    'rule=momentum&momentum=0.5&divideLastBy=full': 'p.grad * 3 / 10',
    'rule=sgd&lr=0.8&batchSize=1503&divideLastBy=full&rows=1500': '1503',
    'rule=adadelta&rho=0.95&epochs=1': 'gb.adadelta',
    f'rule=yogi&batchSize=1503&epochs=40&start={START}': 'Draws.start',
    'schedule=cosine&lr=0.1&epochs=4': "SCHEDULES['cosine'](0.1, step, 604)",
    'rule=momentum&schedule=1/t&lr=0.1&divideLastBy=full': 'step % 151',
    'rule=amsgrad&schedule=1/sqrt(t)&eps=0.1&batchSize=64': 'gb.amsgrad',
    'schedule=1/sqrt(t)&correction=none&epsPlace=inside&lr=0.1': 'v_hat = v\n',
    'schedule=cosine&correction=none&lr=0.1': 'gb.adam_uncorrected',
}


@pytest.fixture(scope='module')
def chromium():
    if not all(browsers.found()):
        pytest.skip(browsers.MISSING)
    chromium = browsers.Browser()
    chromium.open()
    yield chromium
    chromium.close()


@pytest.fixture
def browser(chromium):
    """The page at the section's settings; after the test: no word in the console, and nothing was asked for."""
    chromium.reset()
    yield chromium
    words, asked = chromium.said()
    assert words == [] and {address.split(':')[0] for address in asked} <= {'file', 'data', 'blob', 'about'}


def parts(address):
    """An address without the order of its parts."""
    return sorted((key, parts(value) if key == 'pin' else value)
                  for key, value in parse_qsl(address, keep_blank_values=True))


@pytest.mark.parametrize('address', RUNS)
def test_a_run_is_the_one_that_its_python_cell_makes(browser, address):
    run, cell = browser.set(address), browser.run('return lab.python()')
    assert RUNS[address] in cell and parts(browser.run('return lab.address()')) == parts(address)
    names, start = {}, training.Draws.start
    exec(cell[:-2] + ', hybridize=True, plot=False)\n', names)
    assert training.Draws.start is start  # also after a cell with another one
    assert run['epochs'] == pytest.approx(names['history'].epochs)
    assert run['losses'] == pytest.approx(names['history'].losses, abs=1e-5)
    assert browser.text('#line').startswith(f'loss: {run["losses"][-1]:.6f}, ')


@pytest.mark.parametrize('rule', chapter_adam.RULES)
def test_every_rule_can_be_chosen_and_brings_its_own_hyperparameters(browser, rule):
    Select(browser.driver.find_element(By.ID, 'rule')).select_by_value(rule)
    browser.wait()
    shown = browser.run("return [...document.querySelectorAll('#controls .number:not([hidden]) [type=number]')]"
                        ".map((each) => each.id)")
    settings = browser.run('return lab.state.run.settings')
    assert settings['rule'] == rule and set(shown) == settings.keys() - {
        'rule', 'rows', 'divideLastBy', 'correction', 'epsPlace', 'firstT', 'schedule', 'start'}
    hidden = browser.run("return [...document.querySelectorAll('#controls select')].filter((each) => "
                         "!each.checkVisibility()).map((each) => each.id)")
    assert set(hidden) == {'correction', 'epsPlace', 'firstT', 'schedule'} - settings.keys()
    assert ('lr' in shown) == (rule != 'adadelta') and ('beta2' in shown) == ('adam' in rule or rule in 'amsgrad yogi')


def test_the_book_and_the_seeds_are_those_of_the_figures(browser):
    assert f'{SEEDS["book"]["scratch"]["loss"]:.6f}' in browser.text('#loss-view svg')
    assert f'floor {SEEDS["floor"]:.4f}' in browser.text('#loss-view svg')
    low, high = (SEEDS['final']['scratch'][level] for level in ('5 %', '95 %'))
    assert f'in the middle 90 % of 1,000 seeds of the section’s run ({low:.4f} to {high:.4f})' in browser.text(
        '#verdict')
    browser.set('lr=0.1')
    assert 'above the middle 90 %' in browser.text('#verdict')


def test_a_thousand_seeds_are_those_of_python(browser):
    browser.driver.find_element(By.ID, 'thousand').click()
    browser.wait('lab.state.thousand')
    words = browser.text('#ranks')
    for level in ('5 %', 'median', '95 %'):
        assert float(words.split(f'{level} ')[1][:8]) == pytest.approx(SEEDS['final']['scratch'][level], abs=2e-6)
    for name, before in (('scratch', 'the book’s run from scratch is above '), ('gluon', 'its Gluon run above ')):
        percent = float(words.split(before)[1].split(' %')[0])
        assert percent == pytest.approx(SEEDS['book'][name]['percentile'], abs=0.11)
    browser.set('seed=3')
    assert 'trained here' in browser.text('#ranks')
    browser.set('lr=0.02')
    assert 'trained in Python' in browser.text('#ranks')


@pytest.mark.parametrize('rate, words', [(100, 's: all diverged.'), (1.1, '516 diverged, which count as above; the')])
def test_seeds_that_diverge_are_counted_and_spoken(browser, rate, words):
    browser.set(f'rule=sgd&lr={rate}')
    browser.driver.find_element(By.ID, 'thousand').click()
    browser.wait("lab.state.thousand && document.getElementById('said').textContent.includes('trained here')")
    assert words in browser.text('#said') and words in browser.text('#ranks')
    drawn = browser.run("return [...document.querySelectorAll('.part')].map((part) => part.innerHTML).join('')")
    assert not any(wrong in drawn + browser.text('#lab') for wrong in ('NaN', 'undefined'))


def test_another_setting_stops_the_worker(browser):
    browser.driver.find_element(By.ID, 'thousand').click()
    assert browser.text('#thousand') == 'Stop'
    browser.set('lr=0.02')
    assert browser.text('#thousand') == 'Train 1,000 seeds' and browser.run('return lab.state.worker') is None


def press(browser, name, *keys):
    """The settings after some keys in a control."""
    element = browser.driver.find_element(By.ID, name)
    browser.run('arguments[0].focus()', element)
    element.send_keys(*keys)
    browser.wait()
    return browser.run('return lab.state.run.settings')


def typed(text):
    return Keys.CONTROL + 'a' + Keys.NULL + text


def test_controls_by_keyboard(browser):
    """Tab reaches every control, and arrows and digits change it."""
    names = browser.run("""return [...document.querySelectorAll('#lab :is(input, select, button, summary, #handle)')]
        .filter((e) => e.checkVisibility() && !e.disabled).map((e) => e.id || e.tagName)""")
    browser.run("""window.reached = [];
        document.addEventListener('focusin', ({ target }) => window.reached.push(target.id || target.tagName));
        document.querySelector("header a[href='#sources']").focus()""")
    ActionChains(browser.driver).send_keys(Keys.TAB * len(names)).perform()
    reached = browser.run('return window.reached')
    assert len(names) > 30 and set(names) <= set(reached)
    assert press(browser, 'lr-slider', Keys.RIGHT)['lr'] == 0.012
    assert press(browser, 'lr', Keys.UP)['lr'] == pytest.approx(0.013)
    assert press(browser, 'lr', typed('0.3'))['lr'] == 0.3
    assert press(browser, 'correction', Keys.DOWN)['correction'] == 'none'
    start = press(browser, 'handle', Keys.RIGHT, Keys.RIGHT, Keys.UP)['start']
    assert start[1] == pytest.approx(0.1, abs=0.04) and start[4] == pytest.approx(0.05, abs=0.04)
    assert press(browser, 'copy-python', Keys.ENTER)
    browser.wait("document.getElementById('python').open")
    assert browser.text('#copy-python') != 'Copy as Python' and "'lr': 0.3" in browser.text('#python[open] pre')
    assert press(browser, 'pin', Keys.ENTER) and browser.run('return lab.state.pins.length') == 1
    assert press(browser, 'seeds-start', Keys.ENTER).get('start') is None
    assert press(browser, 'reset', Keys.ENTER)['lr'] == 0.01


def test_the_start_can_be_dragged(browser):
    x, y = browser.run("""document.querySelector('#handle').scrollIntoView({ block: 'center' });
        const { x, y, width, height } = document.querySelector('#handle').getBoundingClientRect();
        return [x + width / 2, y + height / 2]""")
    for kind, dx in (('mousePressed', 0), ('mouseMoved', 30), ('mouseMoved', 60), ('mouseReleased', 60)):
        browser.devtools('Input.dispatchMouseEvent', type=kind, x=x + dx, y=y, button='left', buttons=1, clickCount=1)
    browser.wait('lab.state.run.settings.start')
    start = browser.run('return lab.state.run.settings.start')
    assert 0.2 < start[1] < 0.8 and abs(start[4]) < 0.05


def test_what_is_no_number_is_said_and_changes_nothing(browser):
    field = browser.driver.find_element(By.ID, 'batchSize')
    assert press(browser, 'batchSize', typed('0'))['batchSize'] == 10
    assert browser.text('#problem') == 'batch size: a whole number from 1 to 1503.'
    assert field.get_attribute('aria-invalid') == 'true'
    assert press(browser, 'batchSize', typed('20'))['batchSize'] == 20
    assert browser.text('#problem') == '' and field.get_attribute('aria-invalid') == 'false'
    for button in ('reset', 'pin'):  # what is said ends with the number that it is said of
        press(browser, 'batchSize', typed('0'))
        browser.driver.find_element(By.ID, button).click()
        browser.wait()
        assert browser.text('#problem') == '' and field.get_attribute('aria-invalid') == 'false'


@pytest.mark.parametrize('clipboard, said', [
    ('undefined', 'It is the address'), ('{ writeText: async () => { throw 0; } }', 'It is the address'),
    ('{ writeText: async () => {} }', 'Copied')])
def test_the_button_says_whether_the_browser_copies(browser, clipboard, said):
    browser.is_altered = True
    browser.run(f"Object.defineProperty(navigator, 'clipboard', {{ value: {clipboard} }});"
                "document.getElementById('copy-link').click();")
    browser.wait(f"document.getElementById('said').textContent === '{said}'")
    assert browser.text('#copy-link') == said


def test_what_is_being_typed_stays(browser):
    assert press(browser, 'lr', typed('0.10'))['lr'] == 0.1
    assert browser.run("return document.getElementById('lr').value") == '0.10'
    browser.run("""const field = document.getElementById('beta1');
        for (const text of ['0', '']) {  // what a field holds at 0, and at 1e-
            field.value = text;
            field.dispatchEvent(new Event('input', { bubbles: true }));
        }""")
    browser.wait()
    assert browser.run("return document.getElementById('beta1').value") == ''


@pytest.mark.parametrize('address, cure', [
    ('rule=sgd&lr=100', 'learning rate'), ('rule=rmsprop&gamma=1&eps=1e-30', 'gamma'),
    ('rule=momentum&momentum=1&lr=100', 'momentum')])
def test_a_run_that_diverges_says_so(browser, address, cure):
    browser.set(address)
    assert browser.text('#line').startswith('diverged: the loss after step ')
    assert browser.text('#verdict') == f'Try a smaller {cure}.'


def test_pins_by_keyboard_keep_the_focus_and_are_spoken(browser):
    browser.go('pin=&pin=&pin=')
    for count in (4, 5):
        press(browser, 'pin', Keys.ENTER)
        words = f'Pinned, {count} of 4.' if count < 5 else 'No place is left'
        browser.wait(f"document.getElementById('said').textContent.startsWith('{words}')")
        assert browser.run('return [document.activeElement.id, lab.state.pins.length]') == ['pin', 4]
        assert browser.text('#problem').startswith('No place is left') == (count == 5)


def test_a_slider_that_is_moved_and_set_back_within_a_frame_shows_the_value(browser):
    at = browser.run("const slider = document.getElementById('lr-slider'), before = slider.value;"
                     "slider.value = 0; slider.dispatchEvent(new Event('input', { bubbles: true }));"
                     "lab.set(''); return before")
    browser.wait()
    assert browser.run("return document.getElementById('lr-slider').value") == at


def test_two_axes_have_two_weights(browser):
    browser.go('first=1&second=1')
    assert browser.run('return [lab.view.first, lab.view.second]') == ['1', '4']
    Select(browser.driver.find_element(By.ID, 'second')).select_by_value('1')
    browser.wait()
    assert browser.run("return ['first', 'second'].map((id) => document.getElementById(id).value)") == ['4', '1']


def test_the_averages_that_can_be_chosen_are_those_that_are_kept(browser):
    shown = "const list = document.getElementById('kept'); return list.checkVisibility() && list.value"
    for address, name in (('', 'v'), ('rule=rmsprop', 's'), ('rule=sgd', False)):
        browser.set(address)
        assert browser.run(shown) == name


def test_two_links_of_exercise_2_lead_to_equal_curves(browser):
    for rule, limit in (('rmsprop', 1e-9), ('momentum', 1e-4)):
        link = f'[data-try][href*="correction=none"][href*={rule}]'
        browser.go(browser.driver.find_element(By.CSS_SELECTOR, link).get_attribute('href').split('#')[1])
        ours, theirs = browser.run('return [lab.state.run.losses, lab.state.pins[0].losses]')
        assert ours == pytest.approx(theirs, abs=limit)


def test_the_periodic_problem_runs_in_its_exercise(browser):
    """Its numbers by keyboard, by link and in the address, and where they lead as words."""
    words = "document.getElementById('period-words').textContent"
    assert press(browser, 'period', Keys.UP)['lr'] == 0.01
    browser.wait(words)
    assert browser.run('return [lab.view.period, lab.address()]') == ['4', 'period=4']
    assert press(browser, 'period', typed('1')) and browser.run('return lab.view.period') == '4'
    assert browser.text('#period-problem') == 'period: a whole number from 2 to 30000.'
    assert press(browser, 'period-reset', Keys.ENTER) and browser.run('return lab.view.period') == '3'
    browser.wait(f"{words}.includes('Adam is at the worst point')")
    for period, beta2, side in ((100, 0.999, 'best'), (5000, 0.999, 'worst'), (5000, 0.9999, 'best')):
        link = f'[data-try][href="#period={period}&periodBeta1=0.9&periodBeta2={beta2}"]'
        browser.driver.find_element(By.CSS_SELECTOR, link).click()
        browser.wait()
        assert all(f'{name} is ' in browser.text('#period-words') for name in ('Adam', 'AMSGrad', 'Yogi'))
        assert f'the {side} point' in browser.text('#period-words').split(';')[0]
        assert browser.text('#period-words').count('best point') >= 2
        assert browser.run('return document.activeElement.id') == 'period'
    assert browser.run("return document.querySelectorAll('#period-view .line.run').length") == 3


def test_links_lead_to_settings(browser):
    """Each link of an exercise, from the address that it has to the one that the page makes of it; and strange ones."""
    links = browser.run("return [...document.querySelectorAll('[data-try]')].map((a) => a.hash.slice(1))")
    assert len(links) > 14
    for link in links:
        browser.run("document.querySelector(`[data-try][href='#${arguments[0]}']`).click()", link)
        browser.wait()
        assert parts(browser.run('return lab.address()')) == parts(link)
    browser.open('lr=0.1&log=true')
    assert parts(browser.run('return lab.address()')) == parts('lr=0.1&log=true')
    for link, kept in (('epochs=51&batchSize=2000', ''), ('start=,,,,,', ''), ('kept=zzz', ''),
                       ('lr=none&rule=mine&pin=x%3D1&first=9&hello=1&start=1,2', 'pin=')):
        browser.go(link)
        assert parts(browser.run('return lab.address()')) == parts(kept)
        said = browser.text('#problem').removeprefix('Ignored: ').split(', ')
        assert sorted(said) == sorted(part for part in link.replace('pin=x%3D1', 'x=1').split('&'))


def test_runs_are_named_by_what_differs(browser):
    browser.go('rule=yogi&pin=&pin=correction%3Dnone&pin=lr%3D0.1%26start%3D0,0,0,0,0,0')
    names = browser.run("return [...document.querySelectorAll('#runs li')].map((li) => li.textContent.split(':')[0])")
    assert names == ['Yogi, learning rate 0.01', 'Adam, bias correction, learning rate 0.01',
                     'Adam, no bias correction, learning rate 0.01',
                     'Adam, bias correction, learning rate 0.1, another start']
    browser.driver.find_element(By.CSS_SELECTOR, '#runs button').click()
    browser.wait()
    assert browser.run('return lab.state.pins.length') == 2


def test_every_width_has_all_of_it(browser, tmp_path):
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    for width in (320, 400, 1280, 2560):
        look_at(browser, width, tmp_path)


def look_at(browser, width, tmp_path):
    browser.size(width, 900)
    browser.wait(f'innerWidth === {width}')
    browser.wait(f'document.querySelector("#loss-view svg").viewBox.baseVal.width < {width}')
    browser.screenshot(tmp_path / f'{width}.png')
    assert browser.run('return document.documentElement.scrollWidth') <= width
    for view in ('loss', 'final', 'keeps', 'path'):
        assert browser.run("""const { width, right } = document.querySelector(arguments[0]).getBoundingClientRect();
            return width > 200 && right <= innerWidth""", f'#{view}-view .part')
    assert browser.run("return [...document.querySelectorAll('.answer img')].every((each) => each.width > 700)")
    assert width < 1280 or browser.run(
        "return [...document.querySelectorAll('#chapter pre')].every((e) => e.scrollWidth <= e.clientWidth)")
    assert browser.run("""return [...document.querySelectorAll('pre, math[display=block]')].every((each) =>
        each.scrollHeight <= each.clientHeight && (each.scrollWidth <= each.clientWidth || each.tabIndex === 0))""")


def test_axe_finds_no_serious_violation(browser):
    """In dark on a narrow window all that it knows, in light the contrasts; and every heading can be reached."""
    browser.open('lr=0.1&pin=', width=400, prefers_color_scheme='dark')
    headings = [node for node in browser.devtools('Accessibility.getFullAXTree')['nodes']
                if node.get('role', {}).get('value') == 'heading']
    assert len(headings) == browser.run("return document.querySelectorAll('h1, h2, h3, h4').length")
    browser.run("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    browser.run(AXE)
    for scheme, background, rules in (('dark', 'rgb(20, 23, 27)', ''),
                                      ('light', 'rgb(252, 252, 250)', 'runOnly: ["color-contrast"],')):
        browser.media(prefers_color_scheme=scheme)
        assert browser.run('return getComputedStyle(document.body).backgroundColor') == background
        found = browser.driver.execute_async_script(
            f'axe.run({{ {rules} resultTypes: ["violations"] }})'
            '.then((found) => arguments[0](found.violations))')
        assert [(each['id'], each['nodes'][0]['html'][:99]) for each in found
                if each['impact'] in ('serious', 'critical')] == []


@pytest.mark.parametrize('height, position', [(256, 'static'), (860, 'sticky')])
def test_the_curve_stays_only_where_there_is_room(browser, height, position):
    browser.size(400, height)
    style = "const { position } = getComputedStyle(document.getElementById('loss-view'));"
    padding = 'return [position, parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop)]'
    found, room = browser.run(style + padding)
    assert found == position and room < height / 2


def test_without_javascript_the_chapter_comes_first(browser):
    browser.is_altered = True
    browser.devtools('Emulation.setScriptExecutionDisabled', value=True)
    browser.driver.get('about:blank')
    browser.driver.get(browsers.PAGE)
    browser.devtools('Emulation.setScriptExecutionDisabled', value=False)
    assert not browser.driver.find_element(By.ID, 'controls').is_displayed()
    assert browser.driver.find_element(By.CSS_SELECTOR, '#chapter p').location['y'] < 300


def test_it_prints_whole(browser):
    browser.media('print')
    open_ones = "return document.querySelectorAll('details[open]').length"
    before = browser.run(open_ones)
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run(open_ones) == before + 8
    assert browser.run("return [...document.querySelectorAll('pre')].every((e) => e.scrollWidth <= e.clientWidth)")
    assert set(browser.run("return [...document.querySelectorAll('#runs li, .legend li')].map((each) => "
                           "getComputedStyle(each, '::before').borderTopWidth)")) == {'3px'}  # printed as no ground is
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    assert browser.run(open_ones) == before
    paper = base64.b64decode(browser.devtools('Page.printToPDF')['data'])
    assert paper.count(b'/Type /Page\n') > 10 and len(paper) > 300_000  # the figures of the answers are in it


def test_its_first_picture_has_the_curve_and_stands_still(browser):
    """Nothing moves after it."""
    browser.is_altered = True
    script = browser.devtools('Page.addScriptToEvaluateOnNewDocument', source="""
        new PerformanceObserver(() => (window.curve ??= document.querySelector('#loss-view .line.run') !== null))
            .observe({ type: 'paint' });""")
    browser.open()
    browser.devtools('Page.removeScriptToEvaluateOnNewDocument', identifier=script['identifier'])
    shifts = browser.driver.execute_async_script("""
        const say = arguments[0];
        new PerformanceObserver((list) => say(list.getEntries().reduce((sum, { value }) => sum + value, 0)))
            .observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => say(0), 300);""")
    assert shifts < 0.02 and browser.run('return window.curve')


@pytest.mark.parametrize('address', ['', 'epochs=50&batchSize=1'])
def test_the_pictures_of_a_drag_change(browser, address):
    """A training that is too long for a frame goes on in the next ones. scripts/time_page.py says the milliseconds."""
    browser.is_altered = True
    frames, _, pictures = time_page.drag(browser, address, 'slider', 20)
    assert len(frames) == 20 and pictures > 1
    browser.wait()
    assert browser.run('return lab.state.run.settings === lab.state.settings')
