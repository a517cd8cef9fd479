"""What a check has found, as data, as sentences and as a figure."""
import json
from dataclasses import asdict, dataclass

from ..output import figures


@dataclass(frozen=True, repr=False)
class Verdict:
    """Whether a rule does what it is to do, and if not, where it first differs and which known mistake does that.

    Attributes:
        ok: the rule is right, to float32 rounding; a convention of others (eps-hat) is not called wrong.
        step: the first step after which a parameter differs, or in which the rule raised; None if none does.
        parameter: which, 0 for w and 1 for b, and of w the number: 'w[3]', 'b'; None.
        mistake: the name of the known mistake that does exactly what the rule does, or two names, or None.
        text: two or three sentences.
        rule, against: what was compared with what.
        steps, eps: how many steps were compared; the eps that the rule uses, where it has one.
        states: 'same' if the rule's states are the oracle's, 'other' if it keeps others (then the parameters alone were
            compared), 'none' if neither has any, 'differ' if the rule is wrong.
        distances: for w and b, after each step, how far the rule moved from where it is to move, in units of the
            tolerance.
    """
    ok: bool
    step: int | None
    parameter: str | None
    mistake: str | tuple | None
    text: str
    rule: str
    against: str
    steps: int
    eps: float | None
    states: str
    distances: dict

    def __str__(self):
        return self.text

    __repr__ = __str__  # what a notebook shows

    def __bool__(self):
        return self.ok

    def to_json(self):
        """All of it as JSON text."""
        return json.dumps(self.as_data(), indent=2)

    def as_data(self):
        """All of it; a distance that is not finite is None."""
        data = asdict(self)
        data['mistake'] = list(self.mistake) if isinstance(self.mistake, tuple) else self.mistake
        data['distances'] = {name: [float(f'{x:.3g}') if x < float('inf') else None for x in values]
                             for name, values in self.distances.items()}
        return data


def draw(axes, verdict):
    """The distance over the steps, on a log axis, with the tolerance."""
    for (name, values), color in zip(verdict.distances.items(), (figures.SCRATCH, figures.GLUON)):
        known = [(step, max(x, 1e-3)) for step, x in enumerate(values, 1) if x < float('inf')]
        axes.plot(*zip(*known) if known else ([], []), '.-', color=color, linewidth=1, label=name)
    axes.axhline(1, color=figures.FLOOR, linestyle='--', linewidth=1, label='tolerance: float32 rounding')
    if verdict.step:
        axes.axvline(verdict.step, color='tab:red', linewidth=1, linestyle=':', label=f'step {verdict.step}')
    axes.set(yscale='log', xlabel='step', ylabel='distance / tolerance', title=title(verdict))
    axes.title.set_fontsize('medium')
    axes.legend(fontsize='small')


def title(verdict):
    """The verdict in a line."""
    names = verdict.mistake if isinstance(verdict.mistake, tuple) else (verdict.mistake,) * bool(verdict.mistake)
    finding = ' and '.join(names) or ('right' if verdict.ok else f'differs from step {verdict.step}')
    return f'{verdict.rule} against {verdict.against}: {finding}'


def figure(verdict):
    """A figure of its own, for the file."""
    with figures.style():
        picture, axes = figures.new_figure((6.4, 3.6))
        draw(axes, verdict)
    return picture


def show(verdict):
    """The same with pyplot, for a notebook."""
    import matplotlib.pyplot as plt
    draw(plt.figure(figsize=(6.4, 3.6), layout='constrained').gca(), verdict)
