"""`chapter-adam check` and `compare`: rules from a reader's file, and what is said where there is none."""
import json

import pytest

from chapter_adam.command import cli, parser
from chapter_adam.rules import RULES

FILE = '''
import chapter_adam as gb
from helper import rate
print('loaded')

def adam(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad
        s[:] = 0.999 * s + 0.001 * p.grad.square()
        v_hat, s_hat = v / (1 - 0.9 ** hyperparams['t']), s / (1 - 0.999 ** hyperparams['t'])
        p[:] = p - rate(hyperparams) * v_hat / (s_hat.sqrt() + 1e-6)
    hyperparams['t'] += 1

def stopped(params, states, hyperparams):
    hyperparams = dict(hyperparams)
    adam(params, states, hyperparams)

def yogi(params, states, hyperparams):
    print('a step')
    gb.yogi(params, states, hyperparams)
'''


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A reader's folder: a file of rules, which imports from another."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mine.py').write_text(FILE)
    (tmp_path / 'helper.py').write_text("def rate(hyperparams):\n    return hyperparams['lr']\n")
    return tmp_path


@pytest.mark.parametrize('words, code, said', [
    ('mine.py:adam', 0, 'Right: adam does what Adam does'), ('mine.py:yogi', 0, 'Right: yogi does what Yogi does'),
    ('mine.py:stopped', 1, 't never advanced'), ('yogi --against yogi', 0, 'Right'),
    ('yogi --against adam', 1, 'yogi instead of adam'), ('mine.py:adam --against sgd', 1, 'adam instead of sgd')])
def test_check_prints_the_verdict_and_ends_with_its_code(mine, capsys, words, code, said):
    assert cli.main(['check', *words.split()]) == code
    out = capsys.readouterr().out
    assert said in ' '.join(out.split()) and 'loaded' not in out and 'a step' not in out
    assert {path.name for path in mine.iterdir()} == {'mine.py', 'helper.py'}


def test_every_rule_can_be_what_a_rule_is_to_be():
    form = dict((names[0], form) for names, form in parser.COMMANDS['check'][2])
    assert [*form['--against']['choices']] == [*RULES]


def test_check_as_json_and_as_a_figure(mine, capsys):
    assert cli.main(['check', 'mine.py:stopped', '--json', '--plot', '--format', 'svg', '--out', 'out']) == 1
    data = json.loads(capsys.readouterr().out)
    assert data['mistake'] == 't never advanced' and data['step'] == 2 and not data['ok']
    assert [path.name for path in (mine / 'out').iterdir()] == ['check.svg']
    assert 'stopped against adam' in (mine / 'out' / 'check.svg').read_text()


@pytest.mark.parametrize('rule, reason', [
    ('none.py:adam', 'none.py: no such file'), ('.:adam', '. is not a file'),
    ('mine.py:nadam', "mine.py has no function 'nadam'; its rules: adam, stopped, yogi"),
    ('broken.py:f', 'broken.py, line 2: '),
    ('dies.py:f', 'dies.py cannot be run: ZeroDivisionError: division by zero (dies.py, line 1 `1 / 0`)'),
    ('nul.py:f', 'nul.py'),
    ('exits.py:f', 'exits.py cannot be run: SystemExit: 3'),
    ('lion', "'lion' is no rule: name one of sgd, momentum, ")])
@pytest.mark.parametrize('command', ['check', 'compare'])
def test_what_is_no_rule_is_a_usage_error(mine, capsys, command, rule, reason):
    for name, text in (('broken', 'x = 1\ndef f(:'), ('dies', '1 / 0'), ('exits', 'raise SystemExit(3)'),
                       ('nul', 'x = 1\0')):
        (mine / f'{name}.py').write_text(text)
    assert cli.main([command, rule]) == 2
    assert f'chapter-adam {command}: error: {reason}' in capsys.readouterr().err


@pytest.mark.parametrize('command', ['check', 'compare'])
def test_the_file_of_a_rule_is_not_written_over(mine, capsys, command):
    assert cli.main([command, 'mine.py:adam', '--json', './mine.py']) == 2
    assert 'would overwrite the file of a rule' in capsys.readouterr().err and (mine / 'mine.py').read_text() == FILE


@pytest.mark.parametrize('body, said', [
    ('raise SystemExit(3)', 'SystemExit: 3'), ("raise RuntimeError('no')", 'RuntimeError: no'), ('1 / 0', 'by zero')])
def test_what_a_rule_raises_is_a_line_that_names_its_own(mine, small, capsys, body, said):
    (mine / 'bad.py').write_text(f'def rule(params, states, hyperparams):\n    {body}\n\n'
                                 f'def other(params, states, hyperparams): pass\ndef init_other_states():\n    {body}')
    for name, line in (('rule', 2), ('other', 6)):
        assert cli.main(['compare', f'bad.py:{name}', '--seeds', '2', *small]) == 1
        error = capsys.readouterr().err.splitlines()[-1]
        assert said in error and f' (bad.py, line {line}' in error
    assert cli.main(['check', 'bad.py:rule']) == 1 and '(bad.py, line 2' in capsys.readouterr().out


def test_compare_prints_a_table_and_writes_figure_and_facts(mine, small, capsys):
    assert cli.main(['compare', 'mine.py:adam', 'adam', 'mine.py:yogi', '--seeds', '3', *small]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:5]] == ['mine.py:adam', 'adam', 'yogi']
    assert 'loaded' not in lines and lines[3].endswith('+0.0e+00 (+0.0e+00 to +0.0e+00)')
    facts = json.loads((mine / 'out' / 'compare.json').read_text())
    assert facts['seeds'] == 3 and [*facts['rules']] == ['mine.py:adam', 'adam', 'yogi']
    assert {path.name for path in (mine / 'out').iterdir()} == {'compare.json', 'compare.svg', 'compare.timing.json'}


def test_compare_as_json(mine, small, capsys):
    assert cli.main(['compare', 'sgd', 'adam', '--seeds', '2', '--best-rate', '--json', *small]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data['seconds'].keys() == {'sgd', 'adam'} and len(data['rules']['sgd']['sweep']['medians']) == 21
    assert cli.main(['compare', 'sgd', 'sgd', *small]) == 2


@pytest.mark.filterwarnings('always')
def test_a_warning_is_one_line(mine, capsys):
    assert cli.main(['compare', 'mine.py:stopped', 'adam', '--seeds', '2', '--out', 'out', '--quiet']) == 0
    line, = [line for line in capsys.readouterr().err.splitlines() if 'moved' in line]
    assert line.startswith("chapter-adam: stopped moved hyperparams['t'] from 1 to 1 in 302 steps")
