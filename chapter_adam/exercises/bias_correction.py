"""Exercise `bias-correction`: averages that need no correction, and what Adam's correction is good for.

An average that starts at 0 keeps beta of the past and takes 1 - beta of the new; after t steps its weights add up to
1 - beta^t, not to 1. Adam divides by that sum afterwards. If v is already a true average of t - 1 values, the average
of t values is

    v <- beta_t v + (1 - beta_t) g       beta_t = beta (1 - beta^(t-1)) / (1 - beta^t)

with weights that always add up to 1: this v is Adam's v_hat. beta_1 is 0, the first value is taken whole.
"""
import numpy as np

from .. import figures
from ..airfoil import least_squares_floor
from ..compat import mxnet
from ..ensemble import train_ensemble
from ..hybridization import hybridize
from ..optimizers import adam, adam_uncorrected, init_adam_states

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


def run(features, labels, seeds, watch=None):
    """The facts: the factor of the steps, the two averages side by side, and the trainings."""
    def done(part):
        if watch:
            watch(part)

    trained = {name: Recorder(rule) for name, rule in RULES.items()}
    for k, recorder in enumerate(trained.values(), 1):
        _train(recorder, features, labels, seeds[:RECORDED], hybridize=False)
        done(0.2 * k)
    facts = {'settings': {'lr': RATE, 'beta1': BETA1, 'beta2': BETA2, 'eps': 1e-6, 'batch_size': 10, 'num_epochs': 2,
                          'rows': len(labels), 'seeds': len(seeds), 'first_seed': seeds[0],
                          'recorded': len(seeds[:RECORDED])},
             'steps': len(trained['adam'].gradients), 'floor': _rounded(least_squares_floor(features, labels)),
             'factor': _factor(trained['adam'].gradients)}
    done(0.8)
    facts['equal'] = _equal(trained)
    done(0.9)
    facts.update(_trainings(features, labels, seeds, facts['factor']['on_airfoil'][-1]))
    done(1.0)
    return facts


RULES = {'adam': adam, 'without': adam_uncorrected, 'new': true_averages}


class Recorder:
    """A rule that keeps, for each step, the gradients that it was given and the parameters after it.

    Both as (runs, d + 1), the bias last.
    """

    def __init__(self, rule):
        self.rule, self.gradients, self.points = rule, [], []

    def __call__(self, params, states, hyperparams):
        self.gradients.append(_flat([p.grad for p in params]))
        self.rule(params, states, hyperparams)
        self.points.append(_flat(params))


def _flat(arrays):
    return nd.concat(*arrays, dim=1).asnumpy()[:, :, 0]


def _train(rule, features, labels, seeds, lr=RATE, **options):
    return train_ensemble(rule, init_adam_states(features.shape[1]), {'lr': lr, 't': 1}, features, labels,
                          seeds=seeds, **options)


def replay(rule, gradients, dtype='float32', start=0.0, eps=1e-6):
    """The steps of a rule on the given gradients, whatever these come from, and its states v and s after each.

    Three arrays (steps, runs, d + 1). The parameter is put back to 0 before each step, so that no digit of the step is
    lost in it. `start` is what the states hold before the first.
    """
    given = nd.array(np.array(gradients), dtype=dtype)
    p = nd.zeros(given.shape[1:], dtype=dtype)
    p.attach_grad()
    v, s = nd.full(p.shape, start, dtype=dtype), nd.full(p.shape, start, dtype=dtype)
    hyperparams, kept = {'lr': RATE, 't': 1, 'eps': eps}, []
    for g in given:
        p[:] = 0
        p.grad[:] = g
        rule([p], [(v, s)], hyperparams)
        kept.append([a.copy() for a in (p, v, s)])
    return tuple(nd.stack(*each).asnumpy() for each in zip(*kept))


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

    steady, airfoil = ratios([np.ones((1, 1), np.float32)] * STEADY_STEPS)[:, 0], ratios(gradients)
    return {'steady': _rounded(steady), 'on_airfoil': _rounded(np.median(airfoil, axis=1)),
            'off_theory': {'steady': _rounded(_off(steady)), 'on_airfoil': _rounded(_off(airfoil.T))}}


def _off(ratios):
    """The largest relative distance of measured factors (..., steps) from theory."""
    return np.abs(ratios / theory(np.arange(1, ratios.shape[-1] + 1)) - 1).max()


def _equal(trained):
    """How far the rewritten averages ever are from the corrected ones, and the runs with them from Adam's.

    `weights`: the largest difference of any weight of any run after each step, each run on gradients of its own.
    `v`, `s`, `step`: in float64 on the gradients of Adam's runs; the largest difference ever over the largest value.
    """
    points = {name: np.array(recorder.points, float) for name, recorder in trained.items()}
    gradients = trained['adam'].gradients
    step, v, s = replay(adam, gradients, 'float64')
    t = np.arange(1, len(gradients) + 1).reshape(-1, 1, 1)
    corrected, new = (step, v / (1 - BETA1 ** t), s / (1 - BETA2 ** t)), replay(true_averages, gradients, 'float64')
    started = replay(true_averages, gradients, 'float64', start=7.0)
    return {'weights': {name: _rounded(np.abs(points[name] - points['adam']).max(axis=(1, 2)))
                        for name in ('new', 'without')},
            'float64': {name: _rounded(np.abs(a - b).max() / np.abs(a).max())
                        for name, a, b in zip(('step', 'v', 's'), corrected, new)},
            'started_at_7': _rounded(np.abs(started[0] - new[0]).max())}


def _trainings(features, labels, seeds, last_factor):
    """Curves and final losses with and without correction, and without it at a rate that ends with Adam's steps."""
    slower = RATE / last_factor
    runs = {'adam': _train(adam, features, labels, seeds), 'new': _train(true_averages, features, labels, seeds),
            'without': _train(adam_uncorrected, features, labels, seeds),
            'slower': _train(adam_uncorrected, features, labels, seeds, slower)}
    return {'slower_rate': _rounded(slower), 'examples': (runs['adam'].epochs * len(labels)).round().tolist(),
            'curves': {name: dict(zip(('5 %', 'median', '95 %'), _rounded(each.quantiles((.05, .5, .95)))))
                       for name, each in runs.items()},
            'final': {name: _rounded(each.final) for name, each in runs.items()},
            'final_gap_of_new': _rounded(np.abs(runs['new'].final - runs['adam'].final).max())}


def _rounded(values):
    """Six figures are more than the seeds can tell."""
    return [_rounded(x) for x in values] if np.ndim(values) else float(f'{values:.6g}')


# The answer


def answer(facts):
    """What the facts say, each number computed from them."""
    return [*_factors(facts), *_losses(facts), *_rewritten(facts)]


def _factors(facts):
    factor, steps, recorded = facts['factor'], facts['steps'], facts['settings']['recorded']
    steady, airfoil, off = factor['steady'], factor['on_airfoil'], max(factor['off_theory'].values())
    top, calm, t = int(np.argmax(steady)) + 1, _calm_from(steady), np.arange(1, len(steady) + 1)
    first, second = _calm_from(1 - BETA1 ** t), _calm_from(np.sqrt(1 - BETA2 ** t))
    return [
        (f"Without correction the first step of a steady gradient is {steady[0]:.2f} times as long as Adam's, step "
         f'{top} is {steady[top - 1]:.2f} times as long, and only from step {calm} on it is within 5 %.',
         3.16 < steady[0] < 3.165 and top == 12 and 6.5 < max(steady) < 6.6 and calm == 2375),
        ('Theory says (1 - beta1^t) / sqrt(1 - beta2^t), eps apart; and says it of any gradients, for the correction '
         f'depends on t alone. Measured in float32 on a steady gradient and on those of {recorded} airfoil runs, the '
         f'factors are within {off:.0e} of it, relatively, at every step.',
         off < 1e-5 and _near(steady, theory(t)) and _near(airfoil, theory(t[:len(airfoil)]))),
        (f'The average of squares is why it lasts: 1 - beta1^t is within 5 % of 1 from step {first} on, sqrt(1 - '
         f"beta2^t) from step {second} on. The section's {steps} steps end at a factor of {airfoil[-1]:.2f}: to leave "
         'the correction out is to train all the way with a larger rate, one that falls after a quick rise.',
         first < steps < second and len(airfoil) == steps and airfoil[-1] > 1.5
         and np.argmax(airfoil) < 20 and max(airfoil) > 3 * airfoil[-1]),
    ]


def _calm_from(factors):
    """The step from which on all are within 5 % of 1."""
    far = np.flatnonzero(np.abs(np.subtract(factors, 1)) > 0.05)
    return int(far[-1]) + 2 if len(far) else 1


def _near(values, expected):
    return np.allclose(values, expected, rtol=1e-5, atol=0)


def _losses(facts):
    median = {name: float(np.median(final)) for name, final in facts['final'].items()}
    mean, half, above = _paired(facts, 'without')
    slower, slower_half, _ = _paired(facts, 'slower')
    quick, usual = (_examples_until(facts, name) for name in ('without', 'adam'))
    seeds, last = len(facts['final']['adam']), facts['factor']['on_airfoil'][-1]
    return [
        ('On the airfoil data that is quicker at first and rougher in the end: the median loss is within 10 % of the '
         f'least-squares floor after {quick:g} examples, not {usual:g}, but ends at {median["without"]:.4f}, not '
         f'{median["adam"]:.4f}.', quick < usual and median['without'] > median['adam']),
        (f'Seed against equal seed, the final loss is {mean:.4f} higher on average (95 % interval {mean - half:.4f} to '
         f'{mean + half:.4f}), and higher for {above} of {seeds} seeds.', mean > half and above > 0.75 * seeds),
        (f'It is the rate that costs this, not the form of the average: at {facts["slower_rate"]:.4f}, {last:.2f} '
         f"times lower, the last steps are as long as Adam's, and the final loss differs from Adam's by "
         f'{slower:+.5f} on average (95 % interval {slower - slower_half:+.5f} to {slower + slower_half:+.5f}), '
         'less than a tenth of that.', abs(slower) < mean / 10 and _near(facts['slower_rate'] * last, RATE)),
    ]


def _rewritten(facts):
    equal, steps, recorded = facts['equal'], facts['steps'], facts['settings']['recorded']
    new, without = max(equal['weights']['new']), max(equal['weights']['without'])
    double, gap = max(equal['float64'].values()), facts['final_gap_of_new']
    return [
        ('Yes, they can be rewritten: let step t keep beta_t = beta (1 - beta^(t-1)) / (1 - beta^t) of the past '
         f'and take 1 - beta_t of the new. Step 1 keeps {weight_at(1, BETA1):g}, step 2 {weight_at(2, BETA1):.3f} for '
         f'beta {BETA1} and {weight_at(2, BETA2):.3f} for beta {BETA2}: at first nearly a plain mean of all, later '
         "the usual average. The states then are Adam's v_hat and s_hat: in float64 they and the steps are "
         f'within {double:.0e} of them, relative to the largest, over all {steps} steps of {recorded} runs.',
         double < 1e-12),
        ('In float32 the whole training is the same: with gradients of its own, no weight of these runs is ever '
         f'farther than {new:.0e} from where Adam has it; without correction they get as far as {without:.1f}. The '
         f'final losses differ by {gap:.0e} at most.',
         new < 1e-5 and without > 0.1 and gap < 1e-5 and len(equal['weights']['new']) == steps),
        ('And it no longer matters where the averages start, since step 1 keeps nothing: with states of 7 instead of 0 '
         f'before it, the steps differ by {equal["started_at_7"]:g}.', equal['started_at_7'] == 0),
    ]


def _paired(facts, name):
    """Final loss less Adam's, seed by seed: the mean, half its 95 % interval, how many are above 0."""
    pairs = np.subtract(facts['final'][name], facts['final']['adam'])
    half = 1.96 * pairs.std(ddof=1) / len(pairs) ** 0.5 if len(pairs) > 1 else np.inf
    return float(pairs.mean()), float(half), int((pairs > 0).sum())


def _examples_until(facts, name):
    """The examples seen when the median loss is first within 10 % of the floor."""
    median = facts['curves'][name]['median']
    return next((n for n, loss in zip(facts['examples'], median) if loss <= 1.1 * facts['floor']), np.inf)


# The figure


def figure(facts):
    """Four panels: the factor and what it does to the loss (top), the answer and its proof (bottom)."""
    picture, ((factor, loss), (weight, gap)) = figures.new_figure((9.6, 6.6), 2, 2)
    _draw_factor(factor, facts)
    _draw_loss(loss, facts)
    _draw_weight(weight, facts)
    _draw_gap(gap, facts)
    picture.suptitle('Without correction the steps are too long; averages with a changing weight need none',
                     fontsize='large')
    return picture


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
        _point(axes, step, steady[step - 1], text, place)
    axes.text(1.2, 0.62, "1: as long as Adam's", color=ADAM, fontsize='small', va='center')
    axes.set(xscale='log', xlabel='step t', ylabel="step length (of Adam's)", ylim=(0, 9), xlim=(0.9, 5000),
             title='How much too long the step is')
    axes.xaxis.set_major_formatter('{x:g}')
    axes.legend(fontsize='small', loc='upper right')


def _point(axes, x, y, text, place):
    """A dot with a text some points away from it."""
    axes.plot(x, y, 'o', color='black', markersize=4.5)
    far = {'arrowprops': {'arrowstyle': '-', 'color': '0.3', 'linewidth': 0.8}} if abs(place[1]) > 10 else {}
    axes.annotate(text, (x, y), place, textcoords='offset points', fontsize='small', **far)


def _draw_loss(axes, facts):
    examples, curves = facts['examples'], facts['curves']
    for name, colour, label in (('without', WITHOUT, 'without correction'), ('adam', ADAM, 'Adam')):
        curve = curves[name]
        axes.fill_between(examples, curve['5 %'], curve['95 %'], color=colour, alpha=0.25, linewidth=0)
        axes.plot(examples, curve['median'], color=colour, label=f'{label}: median and 5-95 % of the seeds')
    axes.plot(examples, curves['new']['median'], color=NEW, linestyle=(0, (2, 3)), linewidth=3,
              label="averages rewritten: on Adam's")
    axes.axhline(facts['floor'], color=figures.FLOOR, linestyle=':', label='least-squares floor')
    mean, half, _ = _paired(facts, 'without')
    axes.annotate(f'ends {mean:.4f} $\\pm$ {half:.4f} higher\n(mean over the seeds, 95 %)',
                  (examples[-1], curves['without']['median'][-1]), (-150, 42), textcoords='offset points',
                  fontsize='small', arrowprops={'arrowstyle': '-', 'color': '0.3', 'linewidth': 0.8})
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
    axes.xaxis.set_major_formatter('{x:g}')
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
