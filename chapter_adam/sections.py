"""What the cells of the chapter's other sections call, from SGD to Adadelta: descents in two dimensions, and plots."""
import sys

import matplotlib.pyplot as plt
import numpy as np

from .output.figures import BOOK_SIZE

STEPS, START = 20, (-5, -2)


def set_figsize(figsize=BOOK_SIZE):
    """Sets the size of the figures to come, in inches; in a notebook, they are SVGs."""
    if 'IPython' in sys.modules and sys.modules['IPython'].get_ipython():
        from matplotlib_inline.backend_inline import set_matplotlib_formats
        set_matplotlib_formats('svg')
    plt.rcParams['figure.figsize'] = figsize


def train_2d(trainer):
    """Takes 20 steps from (-5, -2); returns the 21 points and prints the last.

    `trainer` is a function of two numbers and two states, which begin at 0, that returns all four after a step.

    >>> points = train_2d(lambda x1, x2, s1, s2: (x1 / 2, x2 / 2, 0, 0))
    epoch 20, x1 -0.000005, x2 -0.000002
    >>> points[:2], len(points)
    ([(-5, -2), (-2.5, -1.0)], 21)
    """
    (x1, x2), s1, s2 = START, 0, 0
    points = [(x1, x2)]
    for _ in range(STEPS):
        x1, x2, s1, s2 = trainer(x1, x2, s1, s2)
        points.append((x1, x2))
    print(f'epoch {STEPS}, x1 {x1:f}, x2 {x2:f}')
    return points


def show_trace_2d(f, results):
    """Draws points (x1, x2) over the contours of f(x1, x2), into the current figure of pyplot."""
    heights = [x2 for _, x2 in results]
    x1, x2 = np.meshgrid(np.arange(-5.5, 1.0, 0.1),
                         np.arange(min(-3.0, min(heights) - 1), max(1.0, max(heights) + 1), 0.1))
    plt.plot(*zip(*results), marker='o', color='tab:orange')
    plt.contour(x1, x2, f(x1, x2), colors='tab:blue')
    plt.xlabel('x1')
    plt.ylabel('x2')
