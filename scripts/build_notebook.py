"""Runs chapter.py as a notebook in a kernel of this Python and writes it with its outputs. `make notebook` calls this.

    python scripts/build_notebook.py [FILE]     default: chapter_adam/adam.ipynb

Two builds differ in nothing but seconds: no timestamps, no versions, cell ids made from the cells. So a file that
differs from the new one in seconds only is left as it is, and git sees a change only where there is one.
"""
import copy
import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

import jupytext
import matplotlib
import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

PACKAGE = Path(__file__).resolve().parents[1] / 'chapter_adam'
NOTEBOOK = PACKAGE / 'adam.ipynb'
METADATA = {
    'kernelspec': {'display_name': 'Python 3', 'language': 'python', 'name': 'python3'},
    'language_info': {'file_extension': '.py', 'mimetype': 'text/x-python', 'name': 'python',
                      'pygments_lexer': 'ipython3'},
}
# Twice the pixels of the size on the page, for sharp screens; no version of matplotlib inside the picture.
KERNEL_CONFIG = '''
c.InlineBackend.figure_formats = {'retina'}
c.InlineBackend.rc = {'figure.dpi': 100}
c.InlineBackend.print_figure_kwargs = {'bbox_inches': 'tight', 'metadata': {'Software': None}}
'''
ALT = {False: 'Loss over the epochs, a curve for each run of the cell above',
       True: 'Loss difference over the epochs, as the cell above draws it'}  # by whether the cell calls pyplot itself
SECONDS = re.compile(r'\d+\.\d+(?= sec per epoch)|\d+(?= times as fast)')


def read_chapter():
    """The chapter as a notebook without outputs; a cell's id is made from its text, so it stays where others change."""
    notebook = jupytext.read(PACKAGE / 'chapter.py')
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = nbformat.NotebookNode()
        cell.id = hashlib.sha1(cell.source.encode()).hexdigest()[:8]
    return notebook


def run(notebook):
    """Fills the outputs in. The kernel is this Python's own, in an empty folder, without anybody's settings."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder, 'ipython', 'profile_default')
        profile.mkdir(parents=True)
        (profile / 'ipython_kernel_config.py').write_text(KERNEL_CONFIG)
        Path(folder, 'empty').mkdir()
        # No folder of kernels: what is left is the one that ipykernel brings, which is this Python. No port is opened.
        manager = AsyncKernelManager(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), transport='ipc',
                                     connection_file=f'{folder}/kernel.json')
        client = NotebookClient(notebook, km=manager, timeout=120, record_timing=False, coalesce_streams=True,
                                resources={'metadata': {'path': f'{folder}/empty'}})
        client.execute(env=environment(profile.parent), cleanup_kc=True)
    notebook.metadata = nbformat.from_dict(METADATA)  # the kernel has added its version
    for cell in notebook.cells:
        for output in cell.get('outputs', []):
            if 'image/png' in output.get('data', {}):
                output.metadata['image/png']['alt'] = ALT['plt.plot' in cell.source]
    return notebook


def environment(ipython_folder):
    """This environment without what steers a Python or a plot; the package is that of this clone."""
    steering = ('PYTHON', 'MPLBACKEND', 'MXNET_')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, 'PYTHONPATH': str(PACKAGE.parent), 'IPYTHONDIR': str(ipython_folder),
            'MATPLOTLIBRC': str(Path(matplotlib.get_data_path(), 'matplotlibrc'))}


def outputs(notebook):
    """Every output of every code cell, in order."""
    return [output for cell in notebook.cells if cell.cell_type == 'code' for output in cell.outputs]


def pictures(notebook):
    """The outputs that are figures."""
    return [output for output in outputs(notebook) if 'image/png' in output.get('data', {})]


def timeless(notebook):
    """A copy without what differs from run to run: the seconds."""
    notebook = copy.deepcopy(notebook)
    for output in outputs(notebook):
        if output.output_type == 'stream':
            output.text = SECONDS.sub('?', output.text)
    return notebook


def write(notebook, path):
    """Writes the file unless one stands there that differs in seconds only; returns whether it wrote."""
    if path.exists() and timeless(nbformat.read(path, as_version=4)) == timeless(notebook):
        return False
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + '\n', encoding='utf-8')
    return True


if __name__ == '__main__':
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else NOTEBOOK
    written = write(run(read_chapter()), target)
    print(target, 'written' if written else 'left as it is: nothing but seconds would change', sep=': ')
