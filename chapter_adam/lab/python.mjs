// The cell that does in Python what the page does: the book's call, and code where the package has no argument.
import { CELLS, complete, hyperparameters } from './settings.mjs';

const ARGUMENTS = { batchSize: 'batch_size', epochs: 'num_epochs', seed: 'seed' };

/** The lines of a piece of code with these values. */
const filled = (name, values) => CELLS[name].map((line) => line.replace(/{(\w+)}/g, (_, key) => values[key]));
const block = (lines) => `${['', ...lines, '', ''].join('\n')}\n`;

/** The cell as text. */
export function asPython(settings) {
  const usual = complete({ rule: settings.rule });
  const changed = (key) => settings[key] !== usual[key];
  const { rows, start } = settings;
  const rule = ruleOf(settings, changed);
  const pairs = rule.values.filter((key) => key === 'lr' || key === 't' || changed(key));
  const values = pairs.map((key) => `'${key}': ${key === 't' ? settings.firstT : settings[key]}`).join(', ');
  const option = (key) => (changed(key) ? `, ${ARGUMENTS[key]}=${settings[key]}` : '');
  const options = Object.keys(ARGUMENTS).map(option).join('');
  const startCode = start ? block(filled('start', { weights: start.slice(0, 5).join(', '), bias: start[5] })) : '';
  const patch = start ? "with patch.object(Draws, 'start', start):\n    " : '';
  return (
    `import chapter_adam as gb\n${changed('schedule') ? 'from chapter_adam.exercises.decay import SCHEDULES\n' : ''}\n` +
    `features, labels = gb.get_data_ch7(${changed('rows') ? `n=${rows}` : ''})\n${rule.code}${startCode}${patch}` +
    `history = gb.train_ch7(${rule.name}, gb.init_${settings.rule}_states(), {${values}}, features, labels${options})\n`
  );
}

/** The rule's name in the cell, the keys of its dict, and its code where the package has none that does it. */
function ruleOf(settings, changed) {
  const own = ['lr', ...hyperparameters(settings.rule)].filter((key) => settings[key] !== undefined);
  let rule = { name: `gb.${settings.rule}`, values: own, code: '' };
  if (settings.rule === 'adam') {
    if (settings.correction === 'none' && settings.epsPlace !== 'inside') {
      rule.name = 'gb.adam_uncorrected';
    } else if (changed('correction') || changed('epsPlace')) {
      rule = { name: 'adam', values: ['lr', 't'], code: adamOf(settings) };
    } else {
      rule.values = ['lr', 't', ...hyperparameters('adam')];
    }
  }
  const before = beforeStep(settings, changed);
  const code = rule.code + block([...CELLS.stepped, ...before, `    ${rule.name}(params, states, hyperparams)`]);
  return before.length > 0 ? { ...rule, name: 'stepped', code } : rule;
}

function adamOf({ beta1, beta2, eps, correction, epsPlace }) {
  const by = (beta) => (correction === 'both' ? ` / (1 - ${beta} ** t)` : '');
  const outside = `(s_hat.sqrt() + ${eps}${epsPlace === 'hat' ? ` / (1 - ${beta2} ** t) ** 0.5` : ''})`;
  const root = epsPlace === 'inside' ? `(s_hat + ${eps}).sqrt()` : outside;
  return block(filled('adam', { beta1, beta2, by1: by(beta1), by2: by(beta2), root }));
}

/** Lines: an epoch's short last gradient as a sum divided by the full batch size, and the rate of a schedule. */
function beforeStep(settings, changed) {
  const { rows, batchSize, epochs } = settings;
  const [batches, rest] = [Math.ceil(rows / batchSize), rows % batchSize];
  const divided = settings.divideLastBy === 'full' && rest ? filled('divided', { batches, rest, batchSize }) : [];
  return [...divided, ...(changed('schedule') ? filled('schedule', { ...settings, steps: epochs * batches }) : [])];
}
