"""The rules against PyTorch's and optax's, whose paths peer_paths.py has written down."""
import json

import numpy as np
import pytest
from peer_paths import BETAS, EPS, FILE, HALVED, LR, halved
from test_rules import initial, path_of

from chapter_adam.rules import RULES

PATHS, BETA = json.loads(FILE.read_text()), BETAS[0]
SAME = 1e-6  # the paths are written to seven digits
ADAMS = {'eps': EPS, 'beta1': BETA, 'beta2': BETA}


def as_is(**hyperparams):
    return lambda t: hyperparams


def folded(t):
    """What PyTorch's and optax's corrections of both averages are for a rule that has none."""
    root = (1 - BETA ** t) ** 0.5
    return {**ADAMS, 'lr': LR * root / (1 - BETA ** t), 'eps': EPS * root}


# peer: our rule, its hyperparameters at step t, and whether that makes it the same rule
PEERS = [
    ('torch SGD', 'sgd', as_is(), True), ('torch SGD, momentum', 'momentum', as_is(), True),
    ('torch RMSprop, eps 0', 'rmsprop', as_is(eps=0), True), ('torch Adam', 'adam', as_is(**ADAMS), True),
    ('torch Adam, correction undone', 'adam_uncorrected', as_is(**ADAMS), True),
    ('torch Adam, amsgrad', 'amsgrad', folded, True), ('optax sgd', 'sgd', as_is(), True),
    ('optax sgd, momentum', 'momentum', as_is(), True), ('optax rmsprop', 'rmsprop', as_is(eps=EPS), True),
    ('optax adam', 'adam', as_is(**ADAMS), True),
    ('optax adam, correction undone', 'adam_uncorrected', as_is(**ADAMS), True),
    ('optax amsgrad, no correction', 'amsgrad', as_is(**ADAMS), True),
    # Same name, another rule.
    ('torch SGD, momentum, lr halved', 'momentum', halved, False),
    ('optax sgd, momentum, lr halved', 'momentum', halved, False),
    ('torch RMSprop', 'rmsprop', as_is(eps=EPS), False), ('torch Adam, amsgrad', 'amsgrad', as_is(**ADAMS), False),
    ('optax amsgrad', 'amsgrad', folded, False), ('optax yogi', 'yogi', as_is(**ADAMS), False),
]


def off(peer, rule, at, states=None):
    library, call = peer.split(' ', 1)
    ours = path_of(RULES[rule][0], states=initial(rule) if states is None else states, at=at, lr=LR)
    return np.abs(ours - np.array(PATHS[library]['paths'][call]).reshape(ours.shape)).max()


@pytest.mark.parametrize('peer, rule, at, same', PEERS, ids=[f'{each[0]}: {each[3]}' for each in PEERS])
def test_a_peer_is_the_rule_through_its_bridge_and_not_without(peer, rule, at, same):
    assert off(peer, rule, at) < SAME if same else off(peer, rule, at) > 1e-2


def test_a_memory_without_lr_rescales_the_past():
    for peer in ('torch SGD, momentum, lr halved', 'optax sgd, momentum, lr halved'):
        # Halving v with lr is to multiply it by momentum / 2 in that step, and all else by lr.
        def rescaling(t):
            return {**halved(t), 'momentum': 0.45 if t == HALVED else 0.9}
        assert off(peer, 'momentum', rescaling) < SAME


def test_optaxs_yogi_starts_at_a_millionth_and_is_corrected():
    assert off('optax yogi', 'yogi', folded, (np.full((5, 1), 1e-6), np.full((5, 1), 1e-6))) < SAME


def test_every_path_is_used():
    calls = {f'{library} {call}' for library in PATHS for call in PATHS[library]['paths']}
    assert {peer for peer, *_ in PEERS} == calls
