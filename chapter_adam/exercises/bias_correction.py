"""Exercise `bias-correction`: averages that need no correction, and what Adam's correction is good for.

An average that starts at 0 keeps beta of the past and takes 1 - beta of the new; after t steps its weights add up to
1 - beta^t, not to 1. Adam divides by that sum afterwards. If v is already a true average of t - 1 values, the average
of t values is

    v <- beta_t v + (1 - beta_t) g       beta_t = beta (1 - beta^(t-1)) / (1 - beta^t)

with weights that always add up to 1: this v is Adam's v_hat. beta_1 is 0, the first value is taken whole.
"""
import numpy as np

from ..output import figures
from ..core.airfoil import least_squares_floor
from ..core.compat import mxnet
from ..many.ensemble import train_ensemble
from ..old.hybridization import hybridize
from ..rules.optimizers import adam, adam_uncorrected, init_adam_states
from ._drawing import dot, note, panels, plain_ticks
from ._numbers import band, rounded
from ._steps import Recorder, replay

nd = mxnet.nd

QUESTION = ("Can Adam's two averages be rewritten so that they need no bias correction? And what does a run lose "
            'without it?')

RATE, BETA1, BETA2 = 0.01, 0.9, 0.999
STEADY_STEPS = 2400
RECORDED = 100  # runs at most whose every step is looked at
ADAM, WITHOUT, NEW = 'tab:blue', 'tab:orange', 'tab:green'


def true_averages(params, states, hyperparams):
    """One step of Adam whose averages are true ones from the first step on: nothing to correct.

        v <- b1 v + (1 - b1) g             b1 = beta1 (1 - beta1^(t-1)) / (1 - beta1^t)
        s <- b2 s + (1 - b2) g * g         b2 = beta2 (1 - beta2^(t-1)) / (1 - beta2^t)
        p <- p - lr v / (sqrt(s) + eps)

    Arguments and states as for `adam`; what the states hold before the first step does not matter.
    """
    lr, t, eps = hyperparams['lr'], hyperparams['t'], hyperparams.get('eps', 1e-6)
    b1, b2 = weight_at(t, hyperparams.get('beta1', BETA1)), weight_at(t, hyperparams.get('beta2', BETA2))
    for p, (v, s) in zip(params, states):
        v[:] = b1 * v + (1 - b1) * p.grad
        s[:] = b2 * s + (1 - b2) * p.grad.square()
        p[:] = p - lr * v / (s.sqrt() + eps)
    hyperparams['t'] = t + 1


def weight_at(t, beta):
    """The part of the past that step t keeps: 0 at t = 1, nearly beta in the end."""
    return beta * (1 - beta ** (t - 1)) / (1 - beta ** t)


RULES = {'adam': adam, 'new': true_averages, 'without': adam_uncorrected}


def run(features, labels, seeds, watch=None):
    """The facts: the factor of the steps, the two averages side by side, and the trainings."""
    watch = watch or (lambda part: None)
    recorded = {name: _recorded(rule, features, labels, seeds[:RECORDED]) for name, rule in RULES.items()}
    gradients = recorded['adam'][0]
    watch(0.6)
    facts = {'settings': {'lr': RATE, 'beta1': BETA1, 'beta2': BETA2, 'eps': 1e-6, 'batch_size': 10, 'num_epochs': 2,
                          'rows': len(labels), 'seeds': len(seeds), 'first_seed': seeds[0],
                          'recorded': len(seeds[:RECORDED])},
             'steps': len(gradients), 'floor': rounded(least_squares_floor(features, labels)),
             'factor': _factor(gradients), 'equal': _equal(recorded)}
    watch(0.9)
    runs = {name: _train(rule, features, labels, seeds) for name, rule in RULES.items()}
    facts.update(examples=(runs['adam'].epochs * len(labels)).round().tolist(),
                 curves={name: band(each.losses) for name, each in runs.items()},
                 final={name: rounded(each.final) for name, each in runs.items()})
    watch(1.0)
    return facts


def _recorded(rule, features, labels, seeds):
    """Of a training step by step: the gradients, and the parameters after them, both (steps, runs, d + 1)."""
    def flat(arrays):
        return nd.concat(*arrays, dim=1).asnumpy()[:, :, 0]

    recorder = Recorder(rule, lambda params, states: (flat([p.grad for p in params]), flat(params)))
    _train(recorder, features, labels, seeds, hybridize=False)
    return tuple(np.array(each) for each in zip(*recorder.seen))


def _train(rule, features, labels, seeds, **options):
    return train_ensemble(rule, init_adam_states(features.shape[1]), {'lr': RATE, 't': 1}, features, labels,
                          seeds=seeds, **options)


def theory(t):
    """How many times as long the step without correction is; eps apart."""
    return (1 - BETA1 ** t) / np.sqrt(1 - BETA2 ** t)


def _factor(gradients):
    """The uncorrected step over the corrected one: on one steady gradient, and on those of the airfoil runs.

    With an eps of next to nothing: where a first gradient is no larger than it, both steps are eps's, not Adam's.
    """
    def ratios(given):
        steps = (replay(hybridize(rule), given, eps=1e-12)[0] for rule in (adam_uncorrected, adam))
        return np.divide(*(np.linalg.norm(each, axis=-1) for each in steps))

    steady, airfoil = ratios(np.ones((STEADY_STEPS, 1, 1))), ratios(gradients)
    off = max(np.abs(each.T / theory(np.arange(1, len(each) + 1)) - 1).max() for each in (steady, airfoil))
    return {'steady': rounded(steady[:, 0]), 'on_airfoil': rounded(np.median(airfoil, axis=1)),
            'off_theory': rounded(off)}


def _equal(recorded):
    """How far the rewritten averages ever are from the corrected ones, and the runs with them from Adam's.

    `weights`: the largest difference of any weight of any run after each step, each run on gradients of its own.
    `float64`: on the gradients of Adam's runs, the largest difference ever over the largest value.
    """
    gradients, points = recorded['adam']
    step, v, s = replay(adam, gradients, 'float64')
    t = np.arange(1, len(gradients) + 1).reshape(-1, 1, 1)
    corrected, new = (step, v / (1 - BETA1 ** t), s / (1 - BETA2 ** t)), replay(true_averages, gradients, 'float64')
    return {'weights': {name: rounded(np.abs(recorded[name][1].astype(float) - points).max(axis=(1, 2)))
                        for name in ('new', 'without')},
            'float64': {name: rounded(np.abs(a - b).max() / np.abs(a).max())
                        for name, a, b in zip(('step', 'v', 's'), corrected, new)}}


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_what_is_lost(facts), *_rewritten(facts)]


def _what_is_lost(facts):
    steady, airfoil, off = (facts['factor'][name] for name in ('steady', 'on_airfoil', 'off_theory'))
    top, calm, t = int(np.argmax(steady)) + 1, _calm_from(steady), np.arange(1, len(steady) + 1)
    quick, usual = (_examples_until(facts, name) for name in ('without', 'adam'))
    mean, half, above = _paired(facts)
    return [
        (f"Without correction the first step of a steady gradient is {steady[0]:.2f} times as long as Adam's, step "
         f'{top} is {max(steady):.2f} times as long, and only from step {calm} on it is within 5 %.',
         3.16 < steady[0] < 3.165 and top == 12 and 6.5 < max(steady) < 6.6 and calm == 2375),
        ('Theory says (1 - beta1^t) / sqrt(1 - beta2^t), whatever the gradients: on a steady one and on those of '
         f'{facts["settings"]["recorded"]} airfoil runs, every factor measured is within {off:.0e} of it. The section '
         f'ends at step {facts["steps"]} with {airfoil[-1]:.2f}: without correction it has a larger rate all the way.',
         off < 1e-5 and np.allclose(steady, theory(t), rtol=1e-5) and airfoil[-1] > 1.5
         and np.allclose(airfoil, theory(t[:facts['steps']]), rtol=1e-5) and min(airfoil) > 1),
        ('That is quicker at first and rougher in the end: the median loss is within 10 % of the least-squares floor '
         f'after {quick:g} examples, not {usual:g}, but the final loss is {mean:.4f} higher on average (95 % interval '
         f'{mean - half:.4f} to {mean + half:.4f}), and higher for {above} of {len(facts["final"]["adam"])} seeds.',
         quick < usual and mean > half and above > 0.75 * len(facts['final']['adam'])),
    ]


def _calm_from(factors):
    """The step from which on all are within 5 % of 1."""
    far = np.flatnonzero(np.abs(np.subtract(factors, 1)) > 0.05)
    return int(far[-1]) + 2 if len(far) else 1


def _rewritten(facts):
    weights, double, steps = facts['equal']['weights'], max(facts['equal']['float64'].values()), facts['steps']
    new, without = (max(weights[name]) for name in ('new', 'without'))
    return [
        ('Yes, they can be rewritten: let step t keep beta_t = beta (1 - beta^(t-1)) / (1 - beta^t) of the past '
         f'and take 1 - beta_t of the new. Step 1 keeps {weight_at(1, BETA1):g}, step 2 {weight_at(2, BETA1):.3f} for '
         f'beta {BETA1} and {weight_at(2, BETA2):.3f} for beta {BETA2}: at first nearly a plain mean of all, later '
         "the usual average. The states then are Adam's v_hat and s_hat, in float64 within "
         f'{double:.0e} of the largest at each of the {steps} steps.', double < 1e-12),
        ('In float32 the whole training is the same: with gradients of its own, no weight of any run is ever '
         f'farther than {new:.0e} from where Adam has it; without correction they get as far as {without:.1f}.',
         new < 1e-5 and without > 0.1 and len(weights['new']) == steps),
    ]


def _paired(facts):
    """Final loss without correction less Adam's, seed by seed: mean, half its 95 % interval, how many are above 0."""
    pairs = np.subtract(facts['final']['without'], facts['final']['adam'])
    half = 1.96 * pairs.std(ddof=1) / len(pairs) ** 0.5 if len(pairs) > 1 else np.inf
    return float(pairs.mean()), float(half), int((pairs > 0).sum())


def _examples_until(facts, name):
    """The examples seen when the median loss is first within 10 % of the floor."""
    median = facts['curves'][name]['median']
    return next((n for n, loss in zip(facts['examples'], median) if loss <= 1.1 * facts['floor']), np.inf)


# The figure


def figure(facts):
    """Four panels: the factor and what it does to the loss (top), the answer and its proof (bottom)."""
    return panels('Without correction the steps are too long; averages with a changing weight need none', facts,
                  (_draw_factor, _draw_loss, _draw_weight, _draw_gap), size=(9.6, 6.6))


def _draw_factor(axes, facts):
    steady, airfoil, steps = facts['factor']['steady'], facts['factor']['on_airfoil'], facts['steps']
    t, top, calm = np.arange(1, len(steady) + 1), int(np.argmax(steady)) + 1, _calm_from(steady)
    axes.axhspan(0.95, 1.05, color=ADAM, alpha=0.3, linewidth=0)
    axes.plot(t, theory(t), color='0.75', linewidth=6, label='theory')
    axes.plot(t, steady, color='black', linewidth=1.2, label='measured, a steady gradient')
    axes.plot(t[:steps], airfoil, color=WITHOUT, linestyle=(0, (3, 3)), linewidth=2.5, label='measured, airfoil runs')
    for step, text, place in ((1, f'{steady[0]:.2f}', (8, -4)), (top, f'{steady[top - 1]:.2f} at step {top}', (14, 0)),
                              (steps, f"{airfoil[-1]:.2f} at step {steps},\nthe section's end", (10, 30)),
                              (calm, f'within 5 %\nfrom step {calm}', (-38, 24))):
        dot(axes, (step, steady[step - 1]), text, place, 4.5)
    axes.text(1.2, 0.62, "1: as long as Adam's", color=ADAM, fontsize='small', va='center')
    axes.set(xscale='log', xlabel='step t', ylabel="step length (of Adam's)", ylim=(0, 9), xlim=(0.9, 5000),
             title='How much too long the step is')
    plain_ticks(axes)
    axes.legend(fontsize='small', loc='upper right')


def _draw_loss(axes, facts):
    examples, curves = facts['examples'], facts['curves']
    for name, colour, label in (('without', WITHOUT, 'without correction'), ('adam', ADAM, 'Adam')):
        curve = curves[name]
        axes.fill_between(examples, curve['5 %'], curve['95 %'], color=colour, alpha=0.25, linewidth=0)
        axes.plot(examples, curve['median'], color=colour, label=f'{label}: median and 5-95 % of the seeds')
    axes.plot(examples, curves['new']['median'], color=NEW, linestyle=(0, (2, 3)), linewidth=3,
              label="averages rewritten: on Adam's")
    axes.axhline(facts['floor'], color=figures.FLOOR, linestyle=':', label='least-squares floor')
    mean, half, _ = _paired(facts)
    note(axes, (examples[-1], curves['without']['median'][-1]),
         f'ends {mean:.4f} $\\pm$ {half:.4f} higher\n(mean over the seeds, 95 %)', (-150, 42))
    axes.set(xlabel='examples seen', ylabel='loss (of standardised labels)', ylim=(0.235, 0.42),
             title='Quicker at first, rougher in the end')
    axes.legend(fontsize='small')


def _draw_weight(axes, facts):
    t = np.arange(1, 5001)
    for beta, colour in ((BETA2, 'tab:purple'), (BETA1, 'tab:red')):
        axes.plot(t, 1 - weight_at(t, beta), color=colour)
        axes.axhline(1 - beta, color=colour, linestyle=':')
        axes.text(5000, (1 - beta) * 0.9, f'1 - beta = {1 - beta:.3g}', color=colour, fontsize='small', ha='right',
                  va='top')
    axes.plot(t[:700], 1 / t[:700], color='0.75', linewidth=5, zorder=1)
    axes.text(10, 0.05, 'grey: 1/t,\na plain mean', color='0.4', fontsize='small', ha='right', va='top')
    axes.text(60, 0.13, 'average of gradients, beta 0.9', color='tab:red', fontsize='small')
    axes.text(110, 0.014, 'average of squares,\nbeta 0.999', color='tab:purple', fontsize='small')
    axes.set(xscale='log', yscale='log', xlabel='step t', ylabel='weight of the new value, 1 - beta_t',
             ylim=(5e-4, 1.3), xlim=(0.9, 5000), title='The answer: a weight that changes')
    plain_ticks(axes)
    axes.yaxis.set_major_formatter('{x:g}')


def _draw_gap(axes, facts):
    weights, t = facts['equal']['weights'], np.arange(1, facts['steps'] + 1)
    axes.plot(t, weights['without'], color=WITHOUT)
    axes.plot(t, np.maximum(weights['new'], 1e-9), color=NEW)
    axes.text(t[-1], max(weights['without']) * 2.2, 'without correction', color='#b85000', ha='right')
    axes.text(t[-1], max(weights['new']) * 3, 'averages rewritten: the rounding of float32', color='tab:green',
              ha='right')
    axes.set(yscale='log', ylim=(1e-9, 10), xlabel='step t', ylabel='largest difference of any weight',
             title=f'The proof: distance from Adam in {facts["settings"]["recorded"]} runs')
