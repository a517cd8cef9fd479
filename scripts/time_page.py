"""Times docs/index.html in a headless Chromium: from a load to the first picture, and the frames of drags.

    .venv/bin/python scripts/time_page.py

Prints milliseconds: medians, and the worst frame. Other work on the machine counts too.
"""
import sys
from pathlib import Path
from statistics import median

TESTS = Path(__file__).resolve().parents[1] / 'tests'
sys.path[:0] = [str(TESTS), str(TESTS / 'lab')]
from browser import Browser  # noqa: E402

LOADS = 9
CASES = {'the section': '', '10 epochs': 'epochs=10', '50 epochs, batch size 1': 'epochs=50&batchSize=1',
         'four pins': 'pin=lr%3D0.1&pin=lr%3D0.02&pin=rule%3Dsgd&pin=rule%3Dyogi'}
# Moves the slider of the rate, or the ring where the path starts, frame by frame; returns the time that the page's own
# code takes in each, the time until its picture is painted too, and how many different pictures there were.
DRAG = """
    const [kind, frames, finish] = arguments;
    const [slider, handle, wait] =
        [document.getElementById('lr-slider'), document.getElementById('handle'), window.requestAnimationFrame];
    const [codes, wholes, pictures, painted] = [[], [], new Set(), new MessageChannel()];
    let [spent, frameBegan] = [0, 0];
    painted.port1.onmessage = () => wholes.push(performance.now() - frameBegan);
    const timed = (work) => {
        const began = performance.now();
        work();
        spent += performance.now() - began;
    };
    window.requestAnimationFrame = (draw) => wait((now) => timed(() => draw(now)));
    handle.setPointerCapture = () => {};
    handle.hasPointerCapture = () => true;
    const { left, top } = handle.getBoundingClientRect();
    const move = (k) => {
        codes.push(spent);
        [spent, frameBegan] = [0, performance.now()];
        pictures.add(document.getElementById('line').textContent);
        if (k === frames) {
            window.requestAnimationFrame = wait;
            finish([codes.slice(1), wholes, pictures.size]);
            return;
        }
        wait(() => move(k + 1));
        painted.port2.postMessage(0);
        if (kind === 'slider') {
            slider.value = 10 + (k % 45);
        }
        timed(() => (kind === 'slider'
            ? slider.dispatchEvent(new Event('input', { bubbles: true }))
            : handle.dispatchEvent(new PointerEvent('pointermove',
                { pointerId: 1, clientX: left + 15 + k, clientY: top + 15 - k / 2, bubbles: true }))));
    };
    move(0);"""


def first_paint(browser):
    """Milliseconds from the load to the first picture, which has the lab's curve."""
    browser.open(width=1280)
    return browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")


def drag(browser, address, kind, frames=60):
    """The milliseconds of each frame, without and with painting, while a reader drags, and the number of pictures."""
    browser.go(address)
    return browser.driver.execute_async_script(DRAG, kind, frames)


def main():
    browser = Browser()
    try:
        paints = [first_paint(browser) for _ in range(LOADS)]
        print(f'first picture: median {median(paints):.0f}, {min(paints):.0f} to {max(paints):.0f} in {LOADS} loads')
        for name, address in CASES.items():
            for kind in ('slider', 'ring'):
                codes, wholes, pictures = drag(browser, address, kind)
                print(f'{name:25}{kind:8}code: median {median(codes):5.1f}, worst {max(codes):5.1f}   with painting: '
                      f'median {median(wholes):5.1f}   {pictures} pictures in {len(codes)} frames')
    finally:
        browser.close()


if __name__ == '__main__':
    main()
