"""`chapter-adam check`: whether a rule is right; exit code 0 if it is, 1 if not."""
import textwrap

from ...grading import check
from ...grading.verdict import figure
from ...output import figures
from ...output.files import usable_folder
from ...output.report import write_json
from ...output.terminal import printable
from ...rules import RULES
from .loading import BadRule, load, protect, readers_code

WIDTH = 110


def run(options):
    out = usable_folder(options.out) if options.plot else None
    with readers_code():
        try:
            protect(options.json, [options.rule])
            name, rule = load(options.rule, {})
        except BadRule as error:
            options.usage(str(error))
        verdict = check(rule, options.against or (name if name in RULES else 'adam'))
    if options.json != '-':
        print(printable(textwrap.fill(verdict.text, WIDTH)))
    if options.plot:
        figures.save(figure(verdict), out / 'check', options.formats)
        if not options.quiet and options.json != '-':
            print(printable(f'written to {out}: check as {", ".join(options.formats)}'))
    write_json(options.json, verdict.as_data())
    return 0 if verdict.ok else 1
