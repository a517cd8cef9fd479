"""Runs this Python in a process of its own, as a reader's shell would: nothing of the test's own state gets in."""
import os
import subprocess
import sys
from pathlib import Path

import chapter_adam

CLONE = Path(chapter_adam.__file__).resolve().parents[1]
PATIENCE = 180  # seconds; only a hang takes so long, even on a busy machine


def environment(*paths, **extra):
    """The environment without what steers a Python, a plot or a display; packages come from `paths`."""
    steering = ('PYTHON', 'MPLBACKEND', 'MXNET_', 'DISPLAY', 'WAYLAND_', 'COLUMNS')
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    path = os.pathsep.join(map(str, paths or [CLONE]))
    return {**kept, 'PYTHONPATH': path, 'PYTHONDONTWRITEBYTECODE': '1', **extra}


def python(*arguments, cwd, paths=(), **extra):
    """Runs `python *arguments` in the folder `cwd` and returns the finished process, its output as text."""
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, env=environment(*paths, **extra),
                          capture_output=True, text=True, timeout=PATIENCE)


def committed(folder):
    """The names of the files in a folder of the clone that git knows, or of all where there is no git.

    A file that somebody is working on is no reason for a red test of what belongs beside a finished one.
    """
    known = subprocess.run(['git', 'ls-files', '-z', '.'], cwd=CLONE / folder, capture_output=True, text=True)
    if known.returncode:
        return {path.name for path in (CLONE / folder).iterdir()}
    return {*known.stdout.split('\0')} - {''}
