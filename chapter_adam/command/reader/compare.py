"""`chapter-adam compare`: rules on the same seeds, as a table and a figure."""
from ...comparing.compare import race, racer
from ...comparing.figure import draw
from ...output.report import Report
from ...output.terminal import progress
from .loading import BadRule, load, protect, readers_code


def run(options):
    report = Report(options)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    with readers_code():
        try:
            protect(options.json, options.rules)
            racers = named(options.rules, report.features.shape[1])
        except BadRule as error:
            options.usage(str(error))
        with progress('compare', options.seeds * len(racers), 'runs') as watch:
            done = race(racers, (report.features, report.labels), seeds, options.lr, options.best_rate,
                        watch and counted(watch, [*racers], options.seeds),
                        batch_size=options.batch_size, num_epochs=options.epochs)
    report.print(str(done))
    timing = report.write_all('compare', done.facts, done.seconds, draw)
    report.end({**done.facts, **timing})


def named(rules, d):
    """The rules by name; where two have one, by what the command line calls them."""
    modules = {}
    found = [(text, *load(text, modules)) for text in rules]
    names = [name for _, name, _ in found]
    texts = [text if names.count(name) > 1 else name for text, name, _ in found]
    if len({*texts}) < len(texts):
        raise BadRule('the same rule is named twice')
    return {text: racer(text, name if rule_text == name else rule, d)
            for text, (rule_text, name, rule) in zip(texts, found)}


def counted(watch, names, seeds):
    """A watch over all rules."""
    return lambda name, done: watch(names.index(name) * seeds + done)
