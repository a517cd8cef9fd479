"""`chapter-adam seeds` and `choices`: what they conclude, from how many seeds, and that labels follow the options."""
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from chapter_adam.command import choices, cli, seeds
from chapter_adam.output import many_seeds

EPOCHS = np.array([0.0, 1.0, 2.0])
FLOOR = 0.2421


def ensemble(losses):
    """What the commands read of an Ensemble, for losses (records, runs)."""
    fine = np.isfinite(losses).all(axis=0)
    return SimpleNamespace(losses=losses, epochs=EPOCHS, seeds=tuple(range(losses.shape[1])), settings={}, seconds=1.0,
                           final=losses[-1], diverged=tuple(np.flatnonzero(~fine).tolist()))


def drawn(runs, shift=0.0):
    """Losses like the section's; `shift` is added to the last."""
    losses = FLOOR + np.random.default_rng(0).gamma(2, 0.001, (3, runs))
    losses[-1] += shift
    return losses


def facts(runs=1000, shift=0.0, **options):
    return seeds.summary(ensemble(drawn(runs)), ensemble(drawn(runs, shift)), FLOOR, **options)


def test_the_summary_is_what_numpy_says():
    found, losses = facts(shift=-1e-4), drawn(1000)
    for name, level in (('least', 0), ('5 %', .05), ('median', .5), ('95 %', .95), ('most', 1)):
        assert found['final']['scratch'][name] == pytest.approx(np.quantile(losses[-1], level), rel=1e-5)
        assert found['curves']['gluon'][name][0] == pytest.approx(np.quantile(losses[0], level), rel=1e-5)
    noise = ensemble(losses * (1 + 1e-12)), ensemble(drawn(1000, -1e-4) * (1 - 1e-12))
    assert seeds.summary(*noise, FLOOR) == found  # in the digits beyond, processors differ
    assert found['book']['scratch']['percentile'] == pytest.approx(100 * (losses[-1] < 0.243957).mean(), abs=0.1)
    assert found['largest_gap'] == pytest.approx(1e-4)
    assert found['pairs']['effect_size'] == pytest.approx(1e-4 / losses[-1].std(ddof=1), rel=0.05)
    assert sum(found['histogram']['scratch']) == sum(found['histogram']['gluon']) == 1000


@pytest.mark.parametrize('runs, shift, words, title', [
    (1000, 0, ': one distribution', 'the bands of both methods coincide, and the book\'s two losses are'),
    (1000, 1e-4, 'two distributions, or too few', 'the bands of both methods differ'),
    (1000, -0.006, 'not among the middle 90 %', 'not both among the middle 90 %'),
    (29, 0, '29 seeds: too few to tell (30 are needed)', '29 seeds: too few to tell'),
    (1, 0, '1 seed: too few to tell', '1 seed: too few to tell'),
])
def test_what_is_concluded(runs, shift, words, title):
    found = facts(runs, shift)
    said, shown = seeds.words(found), many_seeds.seeds_title(found)
    assert words in said and title in shown
    if runs < 30:
        assert not re.search(r'ordinary|distribution|coincide|differ\b|above', said + shown)


def test_a_run_that_diverged_is_named_and_counts_for_nothing():
    losses = drawn(31)
    losses[1:, [3, 4]] = np.nan
    found = seeds.summary(ensemble(losses), ensemble(drawn(31)), FLOOR)
    assert found['diverged'] == [3, 4] and 'left out: 2 runs, seeds 3, 4' in seeds.words(found)
    assert many_seeds.too_few(found).startswith('29 seeds:')
    with pytest.raises(ArithmeticError, match='all 31 runs diverged'):
        seeds.summary(ensemble(losses * np.nan), ensemble(losses), FLOOR)


def test_seeds(tmp_path, small, capsys):
    words = ['seeds', '--runs', '30', '--first-seed', '100', '--format', 'svg', '--out']
    assert cli.main([*words, str(tmp_path / 'out')]) == 0
    out = capsys.readouterr().out
    assert '30 seeds' in out and "the book's scratch run 0.243957" in out and 'too few to tell (' not in out
    assert json.loads((tmp_path / 'out' / 'seeds.json').read_text())['first_seed'] == 100
    assert {path.name for path in (tmp_path / 'out').iterdir()} == {'seeds.json', 'seeds.svg', 'seeds.timing.json'}
    assert cli.main([*words, 'other', *small[:2]]) == 0 and 'book' not in capsys.readouterr().out
    assert 'book' not in (tmp_path / 'other' / 'seeds.svg').read_text()


def test_choices(tmp_path, capsys):
    assert cli.main(['choices', '--runs', '30', '--out', str(tmp_path), '--format', 'svg']) == 0
    out, found = capsys.readouterr().out, json.loads((tmp_path / 'choices.json').read_text())
    effects = found['effects']
    assert all(name in out for name in effects) and 'who notices' in out
    typical = {name: effect['curve_typical'] for name, effect in effects.items()}
    # What the table tells the reader: no correction is seen by anybody, a late t on the curve, eps by nobody.
    assert typical['missing bias correction'] > 0.1 and 1e-3 < typical['start at t = 2'] < 1e-2
    assert max(typical['eps-hat on the uncorrected root'], typical['eps inside the root']) < 1e-5
    assert effects['start at t = 2']['final_typical'] < 1e-4
    assert effects['division of the last batch of 3 by 10']['curve_largest'] > 1e-3
    assert effects['cut to the first 1500 of 1503 rows']['final_mean'] < 0
    assert 'Only the missing bias correction outweighs the seed' in (tmp_path / 'choices.svg').read_text()


@pytest.mark.parametrize('rows, batch_size, labels', [
    (1503, 10, ['cut to the first 1500 of 1503 rows', 'division of the last batch of 3 by 10']),
    (34, 10, ['division of the last batch of 4 by 10']), (30, 10, []), (30, 100, [])])
def test_the_choices_follow_the_data_and_the_batch_size(rows, batch_size, labels):
    assert [name for name in choices.choices(rows, batch_size) if re.search('last batch|rows', name)] == labels


def test_choices_on_few_seeds_conclude_nothing(small, undrawn, capsys):
    assert cli.main(['choices', '--runs', '1', *small]) == 0
    out = capsys.readouterr().out
    assert '1 seed: too few to tell (30 are needed)' in out
    assert not re.search('anybody|notices|curve,|test of|seed to seed', out)


@pytest.mark.parametrize('curve, largest, final, who', [
    (1e-1, 1e-1, 3e-3, 'anybody'), (1e-2, 1e-2, 1e-4, 'the curve, not'), (1e-3, 1e-2, 1e-4, 'side by side'),
    (1e-6, 1e-3, 1e-8, 'rarely, a curve'), (1e-7, 1e-6, 1e-8, 'only a test')])
def test_who_notices(curve, largest, final, who):
    effect = {'curve_typical': curve, 'curve_largest': largest, 'final_typical': final}
    assert who in choices.who(effect, spread=1.7e-3)


def test_an_effect_is_measured_seed_by_seed():
    usual, moved = drawn(5), drawn(5)
    moved[1] -= [1e-3, 2e-3, 3e-3, 4e-3, 9e-3]
    moved[2] += [-5e-4, 1e-4, 2e-4, 3e-4, 4e-4]
    assert choices.effect(ensemble(moved), ensemble(usual)) == pytest.approx({
        'curve_typical': 3e-3, 'curve_largest': 9e-3, 'final_typical': 3e-4, 'final_mean': 1e-4,
        'final_largest': 5e-4})
