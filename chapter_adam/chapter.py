# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Adam
#
# RMSProp gives every coordinate a step of its own size, by dividing the gradient by the root of a running
# average of its square. Momentum steadies the direction, by replacing the gradient with a running average of
# it. Adam does both at once.
#
# ## The algorithm
#
# For every parameter $\mathbf{x}$ Adam keeps two running averages of the minibatch gradient $\mathbf{g}_t$,
# both started at zero: $\mathbf{v}_t$ of the gradient and $\mathbf{s}_t$ of its elementwise square,
#
# $$\mathbf{v}_t = \beta_1 \mathbf{v}_{t-1} + (1 - \beta_1)\, \mathbf{g}_t, \qquad
#   \mathbf{s}_t = \beta_2 \mathbf{s}_{t-1} + (1 - \beta_2)\, \mathbf{g}_t \odot \mathbf{g}_t,$$
#
# with $\beta_1 = 0.9$ and $\beta_2 = 0.999$. Written out, $\mathbf{v}_t = (1 - \beta_1) \sum_{i=1}^t
# \beta_1^{t-i} \mathbf{g}_i$: a weighted sum whose weights add up to $1 - \beta_1^t$ and not to 1. At $t = 1$
# that is 0.1, so a young average is far too small. Dividing by the sum of the weights makes it a true average
# at every $t$:
#
# $$\hat{\mathbf{v}}_t = \frac{\mathbf{v}_t}{1 - \beta_1^t}, \qquad
#   \hat{\mathbf{s}}_t = \frac{\mathbf{s}_t}{1 - \beta_2^t}.$$
#
# Then the parameter moves by the quotient of the two,
#
# $$\mathbf{x}_t = \mathbf{x}_{t-1} - \eta\, \frac{\hat{\mathbf{v}}_t}{\sqrt{\hat{\mathbf{s}}_t} + \epsilon},$$
#
# where $\eta$ is the learning rate and $\epsilon$ keeps the quotient finite (here $10^{-6}$, added *outside*
# the root). Gradients enter above and below the line, so multiplying the loss by a constant changes nothing,
# as long as $\epsilon$ is negligible: a step is about $\eta$ long in each coordinate whose gradient keeps its
# sign, and shorter where the gradient is mostly noise.
#
# ## From scratch
#
# The data are 1503 measurements of the noise of an airfoil: five features, one label, all standardised.

# %%
import chapter_adam as gb
from matplotlib import pyplot as plt
from mxnet import nd

features, labels = gb.get_data_ch7()
features.shape, labels.shape

# %% [markdown]
# The rule needs a pair of zeros for each parameter, and the number $t$ of the step, which travels in
# `hyperparams`.


# %%
def init_adam_states():
    return [(nd.zeros(shape), nd.zeros(shape)) for shape in ((features.shape[1], 1), (1,))]


def adam(params, states, hyperparams):
    lr, t = hyperparams['lr'], hyperparams['t']
    beta1, beta2, eps = 0.9, 0.999, 1e-6
    for p, (v, s) in zip(params, states):
        v[:] = beta1 * v + (1 - beta1) * p.grad
        s[:] = beta2 * s + (1 - beta2) * p.grad.square()
        v_hat = v / (1 - beta1 ** t)
        s_hat = s / (1 - beta2 ** t)
        p[:] = p - lr * v_hat / (s_hat.sqrt() + eps)
    hyperparams['t'] = t + 1


# %% [markdown]
# Two epochs of linear regression in minibatches of ten, at learning rate 0.01. The loss starts near 0.5,
# falls steeply for half an epoch while the weights travel (each moves by at most about 0.01 a step), and then
# flickers just above the lowest value that a linear model can reach on these data, 0.2421: what is left there
# is the noise of minibatches of ten.

# %%
scratch = gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, features, labels)

# %% [markdown]
# ## With Gluon
#
# `Trainer` has Adam built in. With the same seed both trainings start from the same weights and see the same
# batches, so the curve should be the same, and it is.

# %%
gluon = gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels)

# %%
gap = max(abs(a - b) for a, b in zip(scratch.losses, gluon.losses))
print(f'largest gap between the two curves: {gap:.1e}')

# %% [markdown]
# What gap there is comes from float32, and from MXNet adding its $\epsilon$ to the root of the *uncorrected*
# $\mathbf{s}_t$.
#
# One thing did differ in the book's code. An epoch of 1503 examples ends on a batch of three; the scratch
# code took the mean over three, while `trainer.step(10)` divided the sum by ten. That makes the last gradient
# of each epoch too small. On a plot of the losses both curves look the same, so the plot shows their difference: it
# jumps after the first epoch, and is hundreds of times the gap above.

# %%
original = gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels, full_division=True, plot=False)
effect = [abs(a - b) for a, b in zip(original.losses, gluon.losses)]
plt.figure(figsize=(3.5, 2.5), layout='constrained')
plt.plot(gluon.epochs, effect, marker='.')
plt.xlabel('epoch')
plt.ylabel('difference of the losses')
print(f'dividing 3 examples by 10 moves the curve by up to {max(effect):.1e}, its end by {effect[-1]:.1e}')

# %% [markdown]
# ## From scratch is not slow
#
# The book's scratch run took two and a half times as long as Gluon's, for the same arithmetic. The time goes into
# dispatch: Python calls about forty small operators a step. With `hybridize=True` the function `adam`, not a
# character of it changed, still runs at every step; only its arrays are lazy. An operator on a lazy array is written
# down, not run, and ten steps, their gradients included, become one graph, which MXNet runs in one call. The curve
# stays, the time does not: compare the seconds.

# %%
fast = gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, features, labels, hybridize=True)
fast_gluon = gb.train_gluon_ch7('adam', {'learning_rate': 0.01}, features, labels, hybridize=True)

# %%
moved = max(abs(a - b) for a, b in zip(scratch.losses, fast.losses))
print(f'hybridized, the scratch curve moves by less than 1e-6: {moved < 1e-6}')
print(f'and the run is {scratch.seconds_per_epoch / fast.seconds_per_epoch:.0f} times as fast')

# %% [markdown]
# ## What the seed decides
#
# The book printed one unseeded run of each: 0.243957 and 0.242933. Other seeds give other ordinary draws, for
# one method as for the other; a difference of 0.001 between two unseeded runs says nothing about the methods.

# %%
for seed in range(5):
    gb.train_ch7(adam, init_adam_states(), {'lr': 0.01, 't': 1}, features, labels,
                 seed=seed, hybridize=True, plot=False)

# %% [markdown]
# ## Summary
#
# * Adam keeps a running average of the gradient and one of its square, side by side, and moves by their quotient.
# * Both start at zero, so both are divided by the sum of their weights, $1 - \beta^t$.
# * Written from scratch and taken from Gluon it is the same rule, and from the same seed it draws the same curve.
# * What makes a rule from scratch slow is the dispatch of its operators; as one graph of ten steps, it is faster than
#   Gluon's Adam.
#
# ## Exercises
#
# The first two are the book's, the next three a later edition's. `chapter-adam exercise all` answers them by runs; the
# links lead to the figures. [docs/index.html](../docs/index.html) runs the section in a browser, at every touch.
#
# 1. Adjust the learning rate. What limits the run when it is smaller, and what when it is larger?
#    ([answer](../figures/README.md#exercise-learning-rate))
# 2. Why is Adam called a combination of momentum and RMSProp, and in which order?
#    ([answer](../figures/README.md#exercise-two-averages))
# 3. Can the two averages be rewritten so that they need no bias correction?
#    ([answer](../figures/README.md#exercise-bias-correction))
# 4. Why reduce the learning rate as the training goes on, and how fast?
#    ([answer](../figures/README.md#exercise-decay))
# 5. Can you construct a problem on which Adam does not converge, and what do AMSGrad and Yogi do there?
#    ([answer](../figures/README.md#exercise-divergence))
# 6. Which paths do sgd, momentum, RMSProp and Adam take over the loss, and do the paths depend on the coordinates?
#    ([answer](../figures/README.md#exercise-paths))
# 7. What does $\epsilon$ do from $10^{-8}$ to 100, and when does it matter where it is added?
#    ([answer](../figures/README.md#exercise-epsilon))
