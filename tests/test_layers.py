"""Who imports whom: the package's rooms are one table, and nothing imports upward or more than it uses."""
import ast
import sys

import outside
import pytest

# module: what it imports when it is loaded, what it imports only inside functions. Modules of the standard library
# are not listed; 'chapter_adam' is the package itself, which imports compat alone.
MAY_IMPORT = {
    'signals': ('', ''),
    '__init__': ('compat signals', ''),
    '__main__': ('cli', ''),
    'compat': ('numpy', 'mxnet packaging distutils'),
    'files': ('', ''),
    'history': ('', ''),
    'airfoil': ('numpy compat files', 'requests d2l'),
    'nested': ('compat stand_ins', ''),
    'checks': ('numpy compat nested', ''),
    'optimizers': ('checks compat', ''),
    'models': ('compat', ''),
    'stand_ins': ('numpy compat', ''),
    'tracing': ('numpy compat expressions stand_ins', ''),
    'namespaces': ('compat stand_ins tracing', ''),
    'bytecode': ('', ''),
    'expressions': ('numpy', ''),
    'buffers': ('compat stand_ins', ''),
    'surroundings': ('numpy bytecode compat stand_ins', ''),
    'substitution': ('bytecode namespaces signals surroundings', ''),
    'recording': ('numpy bytecode compat expressions nested stand_ins substitution surroundings tracing', ''),
    'shadow': ('numpy buffers compat nested signals stand_ins surroundings', ''),
    'hybridization': ('numpy buffers shadow compat nested recording stand_ins substitution surroundings', ''),
    'stacked': ('compat nested', ''),
    'fused': ('compat hybridization nested stacked', ''),
    'training': ('numpy checks compat fused history models stand_ins', ''),
    'ensemble_models': ('numpy compat fused hybridization nested recording shadow stacked stand_ins surroundings', ''),
    'ensemble': ('numpy checks compat ensemble_models history hybridization stand_ins training', ''),
    'figures': ('files', 'matplotlib numpy'),
    'book': ('checks training', 'figures'),
    'report': ('airfoil history files', 'tqdm'),
    'seeds': ('numpy airfoil ensemble figures history files optimizers report', ''),
    'choices': ('numpy ensemble figures history files optimizers report', ''),
    'section': ('airfoil figures history seeds training book files optimizers report', ''),
    'peers': ('', ''),
    'exercises': ('', ''),
    'answers': ('exercises figures files history report', ''),
    'gate': ('numpy', ''),
    'race': ('numpy airfoil gate training', ''),
    'bench_figure': ('figures', 'numpy'),
    'many_race': ('numpy bench_figure figures files gate history peers race', ''),
    'bench': ('numpy bench_figure figures files history peers race', 'tqdm many_race'),
    'cli': ('chapter_adam signals', 'section seeds choices answers exercises bench peers airfoil'),
    'chapter': ('chapter_adam mxnet', ''),  # the section itself, written as a reader would
}
PACKAGE = outside.CLONE / 'chapter_adam'
MODULES = sorted([*(path.stem for path in PACKAGE.glob('*.py')), 'exercises', 'peers'])


def imports(node, inside=False):
    """Yields (name, inside a function) of everything imported below `node`; rooms by their own names."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name.split('.')[0], inside) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield from ((name, inside) for name in sources(child))
        else:
            yield from imports(child, inside or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def sources(node):
    """`from .files import x` comes from files, `from . import x` from x if that is a room, else from the package."""
    if node.level == 0:
        return [node.module.split('.')[0]]
    if node.module:
        return [node.module.split('.')[0]]
    return [alias.name if alias.name in MODULES else 'chapter_adam' for alias in node.names]


def listed(module, inside):
    path = PACKAGE / module / '__init__.py' if (PACKAGE / module).is_dir() else PACKAGE / f'{module}.py'
    foreign = {(name, where) for name, where in imports(ast.parse(path.read_text()))
               if name not in sys.stdlib_module_names or name == 'distutils'}
    return {name for name, where in foreign if where is inside}


@pytest.mark.parametrize('module', MODULES)
def test_a_room_imports_what_the_table_says(module):
    assert module in MAY_IMPORT, f'add {module} to MAY_IMPORT in {__file__}: what may it import?'
    at_once, inside = (set(names.split()) for names in MAY_IMPORT[module])
    assert listed(module, inside=False) == at_once
    assert listed(module, inside=True) == inside


def test_the_table_has_no_room_that_is_gone():
    assert sorted(MAY_IMPORT) == MODULES


def test_nothing_imports_in_a_circle():
    done = {'chapter_adam'}
    while ready := [room for room in MODULES if room not in done and rooms_of(room) <= done]:
        done.update(ready)
    assert done >= set(MODULES)


def rooms_of(module):
    return {name for names in MAY_IMPORT[module] for name in names.split() if name in {*MODULES, 'chapter_adam'}}


@pytest.mark.parametrize('code, names', [
    ('from .a import b', {('a', False)}),
    ('from . import files, __version__', {('files', False), ('chapter_adam', False)}),
    ('import numpy.random as r', {('numpy', False)}),
    ('class A:\n def f(self):\n  if 1:\n   from d2l.mxnet import x', {('d2l', True)}),
])
def test_the_reader_of_imports_reads_them(code, names):
    assert set(imports(ast.parse(code))) == names


# What is loaded when: d2l alone costs seconds.

LOADED = '''
import sys

def loaded(*heavy):
    return [name for name in heavy if name in sys.modules]

HEAVY = 'matplotlib', 'matplotlib.pyplot', 'pandas', 'IPython', 'd2l', 'tqdm'

import chapter_adam as gb
print('import chapter_adam:', loaded('mxnet', *HEAVY))
gb.train_ch7
print('train_ch7:', loaded('mxnet'), loaded(*HEAVY))
run = gb.train_ch7, gb.adam, gb.init_adam_states(2), {'lr': 0.1, 't': 1}
x = [[1, 2], [3, 4], [5, 7]]
run[0](*run[1:], x, [1, 2, 3], plot=False)
gb.train_gluon_ch7('adam', {}, x, [1, 2, 3], plot=False)
print('training:', loaded(*HEAVY))
run[0](*run[1:], x, [1, 2, 3])
print('plot:', loaded(*HEAVY))
import mxnet
print('NumPy mode:', mxnet.util.is_np_array(), mxnet.util.is_np_shape())
'''


def test_each_thing_is_loaded_where_it_is_used(tmp_path):
    """And no training switches MXNet's NumPy mode on, as d2l's do: `nd.array` would mean something else after it."""
    process = outside.python('-c', LOADED, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    said = dict(line.split(': ', 1) for line in process.stdout.splitlines() if not line.startswith('loss:'))
    assert said == {'import chapter_adam': '[]', 'train_ch7': "['mxnet'] []", 'training': '[]',
                    'plot': "['matplotlib', 'matplotlib.pyplot']", 'NumPy mode': 'False False'}
    assert list(tmp_path.iterdir()) == []


def test_the_names_of_the_package_are_those_of_its_rooms():
    import chapter_adam
    for name in chapter_adam.__all__:
        room = chapter_adam.ROOM_OF[name]
        assert getattr(chapter_adam, name) is getattr(sys.modules[f'chapter_adam.{room}'], name)
        assert name in dir(chapter_adam)
    with pytest.raises(AttributeError, match="'chapter_adam' has no attribute 'adan'"):
        chapter_adam.adan
