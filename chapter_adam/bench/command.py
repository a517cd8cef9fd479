"""`chapter-adam bench`: times the section's training by this project, the original, later editions and others."""
from . import figure, race, results
from ..output.report import Report
from ..output.terminal import tell


def run(options):
    """Lists the competitors or races them; prints a table, writes JSON and a figure."""
    if options.list:
        print('\n'.join(f'{c.name:26}{c.label:32}{c.environment}' for c in options.only))
        return
    if options.runs and not options.many:
        options.usage('--runs is for --many')
    report, name = Report(options), 'bench_many' if options.many else 'bench'
    watch = None if options.quiet else lambda line: tell(f'bench: {line}')
    sizes = (options.runs or (1, 100, 1000, 10000)) if options.many else ()
    result = race.run(options.only, options.repeats, sizes, watch)
    report.print(results.table(result))
    if not results.slowest_first(result):
        raise ValueError('no competitor could be timed; the table says why')
    report.write(name, result, figure.draw(result))
    report.say('')
    report.say_written(name)
