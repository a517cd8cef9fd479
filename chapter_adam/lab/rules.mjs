// The update rules, beside their twins in `chapter_adam/rules/`: there a line is about arrays, here about one number.
//
// RULES[name] = { states, defaults, step }. `step(p, g, states, hyperparams, t)` changes the parameters p, against
// their gradients g, and the arrays of `states`, in the order of their names; t is the number of the step, from 1.

const { sqrt, max, sign } = Math;
const BETAS = { beta1: 0.9, beta2: 0.999 };

/** What Adam divides by, from the corrected usual size s_hat; `rest` is 1 - beta2^t. */
const ROOTS = {
  outside: (sHat, eps) => sqrt(sHat) + eps,
  inside: (sHat, eps) => sqrt(sHat + eps),
  hat: (sHat, eps, rest) => sqrt(sHat) + eps / sqrt(rest),
};

const rule = (states, defaults, step) => ({ states, defaults, step });

export const RULES = {
  sgd: rule([], {}, (p, g, _, { lr }) => {
    for (let k = 0; k < p.length; k++) {
      p[k] -= lr * g[k];
    }
  }),

  momentum: rule(['v'], { momentum: 0.9 }, (p, g, [v], { lr, momentum }) => {
    for (let k = 0; k < p.length; k++) {
      v[k] = momentum * v[k] + lr * g[k];
      p[k] -= v[k];
    }
  }),

  adagrad: rule(['s'], { eps: 1e-6 }, (p, g, [s], { lr, eps }) => {
    for (let k = 0; k < p.length; k++) {
      s[k] += g[k] * g[k];
      p[k] -= (lr * g[k]) / sqrt(s[k] + eps);
    }
  }),

  rmsprop: rule(['s'], { gamma: 0.9, eps: 1e-6 }, (p, g, [s], { lr, gamma, eps }) => {
    for (let k = 0; k < p.length; k++) {
      s[k] = gamma * s[k] + (1 - gamma) * g[k] * g[k];
      p[k] -= (lr * g[k]) / sqrt(s[k] + eps);
    }
  }),

  adadelta: rule(['s', 'delta'], { rho: 0.9, eps: 1e-5 }, (p, g, [s, delta], { rho, eps }) => {
    for (let k = 0; k < p.length; k++) {
      s[k] = rho * s[k] + (1 - rho) * g[k] * g[k];
      const step = sqrt((delta[k] + eps) / (s[k] + eps)) * g[k];
      p[k] -= step;
      delta[k] = rho * delta[k] + (1 - rho) * step * step;
    }
  }),

  /** Three switches: `correction` 'both' or 'none', `epsPlace` as in ROOTS, `firstT`, the t of the first step. */
  adam: rule(['v', 's'], { ...BETAS, eps: 1e-6 }, (p, g, [v, s], hyperparams, t) => {
    const { lr, beta1, beta2, eps, correction = 'both', epsPlace = 'outside', firstT = 1 } = hyperparams;
    const clock = t - 1 + firstT;
    const [restOfV, restOfS] = correction === 'none' ? [1, 1] : [1 - beta1 ** clock, 1 - beta2 ** clock];
    for (let k = 0; k < p.length; k++) {
      v[k] = beta1 * v[k] + (1 - beta1) * g[k];
      s[k] = beta2 * s[k] + (1 - beta2) * g[k] * g[k];
      const vHat = v[k] / restOfV;
      const sHat = s[k] / restOfS;
      p[k] -= (lr * vHat) / ROOTS[epsPlace](sHat, eps, restOfS);
    }
  }),

  adam_uncorrected: rule(['v', 's'], { ...BETAS, eps: 1e-6 }, (p, g, [v, s], { lr, beta1, beta2, eps }) => {
    for (let k = 0; k < p.length; k++) {
      v[k] = beta1 * v[k] + (1 - beta1) * g[k];
      s[k] = beta2 * s[k] + (1 - beta2) * g[k] * g[k];
      p[k] -= (lr * v[k]) / (sqrt(s[k]) + eps);
    }
  }),

  amsgrad: rule(['v', 's', 'top'], { ...BETAS, eps: 1e-6 }, (p, g, [v, s, top], { lr, beta1, beta2, eps }) => {
    for (let k = 0; k < p.length; k++) {
      v[k] = beta1 * v[k] + (1 - beta1) * g[k];
      s[k] = beta2 * s[k] + (1 - beta2) * g[k] * g[k];
      top[k] = max(top[k], s[k]);
      p[k] -= (lr * v[k]) / (sqrt(top[k]) + eps);
    }
  }),

  yogi: rule(['v', 's'], { ...BETAS, eps: 1e-3 }, (p, g, [v, s], { lr, beta1, beta2, eps }) => {
    for (let k = 0; k < p.length; k++) {
      const g2 = g[k] * g[k];
      v[k] = beta1 * v[k] + (1 - beta1) * g[k];
      s[k] += (1 - beta2) * sign(g2 - s[k]) * g2;
      p[k] -= (lr * v[k]) / (sqrt(s[k]) + eps);
    }
  }),
};
