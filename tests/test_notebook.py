"""The notebook: in step with the script, the same numbers, and it runs from a clean kernel."""
import base64
import io
import re
from pathlib import Path

import build_notebook
import nbformat
import outside
import pytest
from matplotlib.image import imread

NUMBER = r'\d+\.\d+(?:e[+-]\d+)?|\d+'
REMEDY = 'the notebook is not that of chapter.py: make notebook'


@pytest.fixture(scope='module')
def committed():
    return nbformat.read(build_notebook.NOTEBOOK, as_version=4)


@pytest.fixture(scope='module')
def built(tmp_path_factory):
    """Run once as `make notebook` runs it, by somebody who has kernels and settings of no use."""
    home, path = tmp_path_factory.mktemp('home'), tmp_path_factory.mktemp('built') / 'adam.ipynb'
    for name, text in (('.config/matplotlib/matplotlibrc', 'figure.facecolor: red\n'),
                       ('jupyter/kernels/python3/kernel.json',
                        '{"argv": ["/nowhere/python"], "display_name": "P", "language": "python"}')):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text(text)
    process = outside.python(outside.CLONE / 'scripts' / 'build_notebook.py', path, cwd=home, HOME=str(home),
                             XDG_CONFIG_HOME=str(home / '.config'), JUPYTER_PATH=str(home / 'jupyter'),
                             XDG_CACHE_HOME=str(Path.home() / '.cache'))  # matplotlib would list all fonts again
    assert (process.returncode, process.stderr) == (0, '')
    assert process.stdout == f'{path}: written\n'
    return nbformat.read(path, as_version=4)


def said(notebook):
    """What its cells print, without the seconds."""
    return ''.join(output.text for output in build_notebook.outputs(build_notebook.timeless(notebook))
                   if output.output_type == 'stream')


def same_text(one, other):
    """The same words, and numbers that differ by no more than float32 does from machine to machine."""
    words = [re.sub(NUMBER, '#', text) for text in (one, other)]
    assert words[0] == words[1], REMEDY
    numbers = [[float(number) for number in re.findall(NUMBER, text)] for text in (one, other)]
    for ours, theirs in zip(*numbers):
        assert abs(ours - theirs) <= (2e-6 if ours > 0.1 else max(2e-6, 0.1 * ours)), REMEDY


def test_its_cells_are_the_scripts(committed):
    script = build_notebook.read_chapter()
    assert [(cell.id, cell.cell_type, cell.source) for cell in committed.cells] == [
        (cell.id, cell.cell_type, cell.source) for cell in script.cells], REMEDY


def test_its_numbers_are_those_of_a_run(committed, built):
    same_text(said(committed), said(built))
    assert [output.output_type for output in build_notebook.outputs(committed)] == [
        output.output_type for output in build_notebook.outputs(built)]


def test_the_prose_is_true_of_the_numbers(built):
    """One curve; an effect hundreds of times larger than the gap; a hybridized run on the curve; seeds that differ."""
    line = r'loss: (0\.24\d{4}), \? sec per epoch\n'
    gap = r'largest gap between the two curves: (\d\.\de-0\d)\n'
    effect = r'dividing 3 examples by 10 moves the curve by up to (\d\.\de-0\d), its end by (\d\.\de-0\d)\n'
    fast = r'hybridized, the scratch curve moves by less than 1e-6: True\nand the run is \? times as fast\n'
    text = said(built)
    found = re.fullmatch(line * 2 + gap + line + effect + line * 2 + fast + line * 5, text)
    assert found, text
    scratch, gluon, gap, original, most, end, fast, fast_gluon, *seeds = map(float, found.groups())
    assert gap < 1e-5 and abs(scratch - gluon) < 1e-5 and abs(fast - fast_gluon) < 1e-5
    assert end < most and 100 * gap < most < 1e-2 and abs(abs(original - gluon) - end) < 1e-5
    assert seeds[0] == fast and len(set(seeds)) == 5


@pytest.mark.parametrize('change', ['0.244703 -> 0.244713', '4.4e-04 -> 5.4e-04', 'largest gap -> smallest gap'])
def test_a_planted_difference_is_seen(committed, change):
    before, after = change.split(' -> ')
    text = said(committed)
    assert before in text
    with pytest.raises(AssertionError, match='make notebook'):
        same_text(text.replace(before, after), text)


def test_it_has_no_noise(committed, built):
    """No times, no versions: only what the chapter decides. Each picture is sharp, small and described."""
    nbformat.validate(committed)
    assert committed.metadata == built.metadata == build_notebook.METADATA
    for cell in committed.cells:
        assert cell.metadata == {}
    code = [cell for cell in committed.cells if cell.cell_type == 'code']
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)]
    for output in build_notebook.pictures(committed):
        said_of_it = output.metadata['image/png']
        assert 300 < said_of_it['width'] < 500 and 'Loss' in said_of_it['alt']
        assert len(output.data['image/png']) < 100_000
    assert build_notebook.NOTEBOOK.stat().st_size < 400_000


def test_no_cell_fails_or_warns(built):
    outputs = build_notebook.outputs(built)
    assert {output.output_type for output in outputs} == {'stream', 'display_data', 'execute_result'}
    assert {output.name for output in outputs if output.output_type == 'stream'} == {'stdout'}


def test_the_settings_in_a_readers_home_have_no_say(built):
    """They ask for red figures."""
    for output in build_notebook.pictures(built):
        picture = imread(io.BytesIO(base64.b64decode(output.data['image/png'])), format='png')
        assert picture[0, 0, :3].tolist() == [1, 1, 1]


def test_other_seconds_leave_the_file_and_other_numbers_do_not(built, tmp_path):
    path = tmp_path / 'adam.ipynb'
    assert build_notebook.write(built, path)
    before = path.read_bytes()
    for old, new, written in ((r'0\.\d+ sec', '9.000000 sec', False), (r'\d+ times', '7 times', False),
                              (r'0\.24\d+,', '0.300000,', True)):
        changed = nbformat.from_dict(built)
        changed = nbformat.reads(re.sub(old, new, nbformat.writes(changed)), as_version=4)
        assert build_notebook.write(changed, path) is written
        assert (path.read_bytes() == before) is not written
