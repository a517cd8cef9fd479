"""Exercise `bias-correction`: what Adam's correction is good for, and averages that need none.

An average that starts at 0 has weights that add up to 1 - beta^t after t steps; Adam divides by that sum. With
beta_t = beta (1 - beta^(t-1)) / (1 - beta^t) in place of beta they add up to 1: such an average is Adam's v_hat.
"""
import numpy as np

from ..rules import adam, adam_uncorrected, true_averages, true_weight
from .tools.drawing import FLOOR, dot, panels
from .tools.numbers import above, band, rounded
from .tools.training import BATCH, RATE, Section, follow

QUESTION = "Can Adam's averages be rewritten so that they need no bias correction, and what does one lose without it?"

BETA1, BETA2, STEADY_STEPS = 0.9, 0.999, 2400
ADAM, WITHOUT, NEW = 'tab:blue', '#d66000', 'tab:green'
RULES = {'adam': adam, 'new': true_averages, 'without': adam_uncorrected}


def run(features, labels, seeds, watch=None):
    """The facts: `factor` is the uncorrected step over Adam's, `gap` the largest difference from Adam."""
    section = Section(features, labels, seeds)
    paths = {name: section.train(rule) for name, rule in RULES.items()}
    steps, records = len(section.batches), range(0, len(section.batches), 10)
    gradients = np.stack([section.gradient(paths['adam'][t], t) for t in range(steps)])
    losses = {name: section.loss(path) for name, path in paths.items()}
    return {'settings': {'lr': RATE, 'dtype': 'float64', 'seeds': len(seeds), 'first_seed': seeds[0]},
            'steps': steps, 'floor': section.floor, 'examples': [BATCH * t for t in records],
            'factor': {name: rounded(_factor(each), 6) for name, each in (('steady', np.ones((STEADY_STEPS, 1))),
                                                                          ('airfoil', gradients))},
            'curves': {name: band(loss[::10][:len(records)]) for name, loss in losses.items()},
            'final': {name: rounded(loss[-1]) for name, loss in losses.items()},
            'gap': {name: above(1e-12, np.abs(paths[name] - paths['adam']).max()) for name in ('new', 'without')}}


def _factor(gradients):
    """The length of the uncorrected step over Adam's, on the same gradients (steps, ...); the median over the seeds."""
    # With an eps of next to nothing: it decides where a first gradient is as small.
    steps = [np.diff(follow(rule, np.zeros(gradients[0].shape), lambda _, t: gradients[t], len(gradients), eps=1e-12),
                     axis=0) for rule in (adam_uncorrected, adam)]
    lengths = [np.linalg.norm(each, axis=-1).reshape(len(each), -1) for each in steps]
    return np.median(lengths[0] / lengths[1], axis=1)


def theory(t):
    """How many times as long as Adam's the step without correction is."""
    return (1 - BETA1 ** t) / np.sqrt(1 - BETA2 ** t)


def answer(facts):
    """What is lost without correction, and the averages that need none."""
    steady, airfoil, steps = *facts['factor'].values(), facts['steps']
    t, top = np.arange(1, len(steady) + 1), int(np.argmax(steady)) + 1
    calm = max((k for k, factor in zip(t, steady) if abs(factor - 1) > 0.05), default=0) + 1
    quick, usual = (next((n for n, loss in zip(facts['examples'], facts['curves'][name]['median'])
                          if loss <= 1.1 * facts['floor']), np.inf) for name in ('without', 'adam'))
    (mean, half, worse), (new, without) = _paired(facts), facts['gap'].values()
    return [
        ('Without correction step t is (1 - beta1^t) / sqrt(1 - beta2^t) times as long as Adam\'s, whatever the '
         f'gradients: {steady[0]:.2f} times at first, {max(steady):.2f} at step {top}, {airfoil[-1]:.2f} at the last, '
         f'step {steps}, and within 5 % from step {calm}.',
         top == 12 and calm == 2375 and np.allclose(steady, theory(t), rtol=1e-5)
         and np.allclose(airfoil, theory(t[:steps]), rtol=1e-5)),
        (f'That is quicker at first and noisier in the end: the loss is within 10 % of the least-squares floor after '
         f'{quick:g} examples, not {usual:g}, but ends {mean:.4f} higher on average (95 % interval {mean - half:.4f} '
         f'to {mean + half:.4f}), and higher for {worse} of {len(facts["final"]["adam"])} seeds.',
         quick < usual and mean > half and worse > 0.75 * len(facts['final']['adam'])),
        ('Yes: let step t keep beta_t = beta (1 - beta^(t-1)) / (1 - beta^t) of the past and take 1 - beta_t of the '
         f'new. Step 2 keeps {true_weight(2, BETA1):.3f} for beta {BETA1} and {true_weight(2, BETA2):.3f} for {BETA2}, '
         f'nearly a plain mean. In {steps} steps no parameter of any seed is farther from Adam\'s than rounding, '
         f'{new:.0e}; without correction the largest difference is {without:.1f}.', new < 1e-11 and without > 0.1),
    ]


def _paired(facts):
    """Final loss without correction less Adam's, seed by seed: mean, half its 95 % interval, how many are above 0."""
    pairs = np.subtract(facts['final']['without'], facts['final']['adam'])
    half = 1.96 * pairs.std(ddof=1) / len(pairs) ** 0.5 if len(pairs) > 1 else np.inf
    return float(pairs.mean()), float(half), int((pairs > 0).sum())


def figure(facts):
    """Three panels: the factor, what it does to the loss, and the weights that need no correction."""
    return panels('Without correction the first steps are too long; averages with a changing weight need none', facts,
                  (_draw_factor, _draw_loss, _draw_weight), size=(12, 4))


def _draw_factor(axes, facts):
    steady, airfoil, steps = *facts['factor'].values(), facts['steps']
    t, top = np.arange(1, len(steady) + 1), int(np.argmax(steady)) + 1
    axes.axhline(1, color=ADAM, linewidth=4, alpha=0.4)
    axes.plot(t, theory(t), color='0.75', linewidth=6, label='theory')
    axes.plot(t, steady, color='black', label='measured, a steady gradient')
    axes.plot(t[:steps], airfoil, color=WITHOUT, linestyle=(0, (3, 3)), linewidth=2.5, label='measured, the section')
    for step, text, place in ((1, f'{steady[0]:.2f}', (8, -4)), (top, f'{max(steady):.2f} at step {top}', (10, 4)),
                              (steps, f'{airfoil[-1]:.2f} at step {steps}', (-10, 40))):
        dot(axes, step, steady[step - 1], text, place)
    axes.text(1.2, 0.55, "1: as long as Adam's", color=ADAM, fontsize='small', va='center')
    axes.set(xscale='log', xlabel='step t', ylabel="step length (of Adam's)", ylim=(0, 9), title='How long steps are')
    axes.legend(fontsize='small', loc='upper right')


def _draw_loss(axes, facts):
    for name, colour, label in (('without', WITHOUT, 'without correction'), ('adam', ADAM, 'Adam')):
        curve = facts['curves'][name]
        axes.fill_between(facts['examples'], curve['5 %'], curve['95 %'], color=colour, alpha=0.2, linewidth=0)
        axes.plot(facts['examples'], curve['median'], color=colour, label=label)
    axes.plot(facts['examples'], facts['curves']['new']['median'], color=NEW, linestyle=(0, (2, 3)), linewidth=3,
              label='averages rewritten')
    axes.axhline(facts['floor'], color=FLOOR, linestyle=':', label='least-squares floor')
    axes.set(xlabel='examples seen', ylabel='loss: median and 5-95 %', ylim=(0.235, 0.4),
             title=f'Quicker at first; ends {_paired(facts)[0]:.4f} higher')
    axes.legend(fontsize='small')


def _draw_weight(axes, facts):
    t = np.arange(1, 5001)
    axes.plot(t[:700], 1 / t[:700], color='0.75', linewidth=5)
    for beta, colour, text, y in ((BETA1, 'tab:red', 'gradients, beta 0.9', 0.13),
                                  (BETA2, 'tab:purple', 'squares, beta 0.999', 5.5e-4)):
        axes.plot(t, 1 - true_weight(t, beta), color=colour)
        axes.axhline(1 - beta, color=colour, linestyle=':')
        axes.text(5000, y, text, color=colour, ha='right')
    axes.text(4, 0.05, 'grey: 1/t,\na plain mean', color='0.4', ha='center', va='top')
    axes.set(xscale='log', yscale='log', xlabel='step t', ylabel='weight of the new value, 1 - beta_t',
             ylim=(4e-4, 1.5),
             title='The answer: a weight that changes')
