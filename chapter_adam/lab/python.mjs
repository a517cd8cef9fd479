// The cell that does in Python what the page does: the book's call, and code where the package has no argument.
import { complete, hyperparameters } from './settings.mjs';

const ARGUMENTS = { batchSize: 'batch_size', epochs: 'num_epochs', seed: 'seed' };

/** The cell as text. */
export function asPython(settings) {
  const usual = complete({ rule: settings.rule });
  const changed = (key) => settings[key] !== usual[key];
  const rule = ruleOf(settings, changed);
  const values = rule.values.filter((key) => key === 'lr' || key === 't' || changed(key));
  const value = (key) => `'${key}': ${key === 't' ? settings.firstT : settings[key]}`;
  const options = Object.keys(ARGUMENTS)
    .filter(changed)
    .map((key) => `, ${ARGUMENTS[key]}=${settings[key]}`);
  const start = settings.start && startOf(settings.start);
  const code = [...rule.code, start].filter(Boolean);
  return `import chapter_adam as gb

features, labels = gb.get_data_ch7(${changed('rows') ? `n=${settings.rows}` : ''})
${code.map((part) => `${part}\n`).join('')}${start ? "with patch.object(Draws, 'start', start):\n    " : ''}history = gb.train_ch7(${rule.name}, gb.init_${settings.rule}_states(), {${values
    .map(value)
    .join(', ')}}, features, labels${options.join('')})
`;
}

/** The rule's name in the cell, the keys of its dict, and its code where the package has none that does it. */
function ruleOf(settings, changed) {
  const own = ['lr', ...hyperparameters(settings.rule)].filter((key) => settings[key] !== undefined);
  let rule = { name: `gb.${settings.rule}`, values: own, code: [] };
  if (settings.rule === 'adam') {
    if (settings.correction === 'none' && settings.epsPlace !== 'inside') {
      rule.name = 'gb.adam_uncorrected';
    } else if (changed('correction') || changed('epsPlace')) {
      rule = { name: 'adam', values: ['lr', 't'], code: [adamOf(settings)] };
    } else {
      rule.values = ['lr', 't', ...hyperparameters('adam')];
    }
  }
  const isDivided = settings.divideLastBy === 'full' && settings.rows % settings.batchSize;
  return isDivided ? { ...rule, name: 'divided', code: [...rule.code, dividedOf(rule.name, settings)] } : rule;
}

function adamOf({ beta1, beta2, eps, correction, epsPlace }) {
  const by = (beta) => (correction === 'both' ? ` / (1 - ${beta} ** t)` : '');
  const outside = `(s_hat.sqrt() + ${eps}${epsPlace === 'hat' ? ` / (1 - ${beta2} ** t) ** 0.5` : ''})`;
  return `
def adam(params, states, hyperparams):
    lr, t = hyperparams['lr'], hyperparams['t']
    for p, (v, s) in zip(params, states):
        v[:] = ${beta1} * v + (1 - ${beta1}) * p.grad
        s[:] = ${beta2} * s + (1 - ${beta2}) * p.grad.square()
        v_hat = v${by(beta1)}
        s_hat = s${by(beta2)}
        p[:] = p - lr * v_hat / ${epsPlace === 'inside' ? `(s_hat + ${eps}).sqrt()` : outside}
    hyperparams['t'] = t + 1

`;
}

/** A rule whose gradient of an epoch's short last batch is a sum divided by the full batch size. */
function dividedOf(rule, { rows, batchSize }) {
  const rest = rows % batchSize;
  return `
def divided(params, states, hyperparams):
    hyperparams['step'] = hyperparams.get('step', 0) + 1
    if hyperparams['step'] % ${Math.ceil(rows / batchSize)} == 0:  # the last batch of an epoch has ${rest} rows
        for p in params:
            p.grad[:] = p.grad * ${rest} / ${batchSize}
    ${rule}(params, states, hyperparams)

`;
}

const startOf = (start) => `
from unittest.mock import patch

from chapter_adam.core.training import Draws

seeds_start = Draws.start

def start(self, d):
    w, b = seeds_start(self, d)  # drawn all the same, so that the batches stay
    w[:, 0], b[:] = [${start.slice(0, 5).join(', ')}], ${start[5]}
    return w, b

`;
