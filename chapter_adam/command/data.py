"""`chapter-adam data`: the facts of the data file; with --restore, downloads it again."""
from time import monotonic

from ..core import airfoil
from ..output.files import whole_file
from ..output.terminal import printable

LONGEST, LARGEST = 60, 1 << 20  # seconds and bytes of a download; the file has 60 kB


def run(options):
    if options.restore and options.data:
        options.usage('--restore is for the packaged file; leave out --data')
    print(printable('\n'.join(facts(options.data)) if not options.restore else
                    f'restored and verified: {restore(airfoil.packaged_path())}'))


def facts(path):
    """The ranges of the columns, and for the packaged file its hash, as lines."""
    table = airfoil.read_table(path)
    lines = [f'{path or airfoil.packaged_path()}: {len(table)} rows',
             f'{"column":24}{"unit":6}{"min":>13}{"mean":>13}{"max":>13}']
    for name, unit, values in zip(airfoil.COLUMNS, airfoil.UNITS, table.T):
        mean = (values / len(values)).sum()  # the sum of the values may overflow
        lines.append(f'{name:24}{unit:6}{values.min():13.6g}{mean:13.6g}{values.max():13.6g}')
    return lines if path else [*lines, f'SHA-1 {airfoil.SHA1}, as registered in d2l.DATA_HUB']


def restore(path):
    """Downloads the data file from the address that d2l registers, verifies it and moves it to `path`.

    Raises DataError if the address cannot be reached, is too slow, or serves other bytes.
    """
    from d2l.mxnet import DATA_HUB
    address, registered = DATA_HUB['airfoil']
    try:
        content = download(address)
    except OSError as error:  # requests' errors are of this type
        raise airfoil.DataError(f'cannot download {address}: {type(error).__name__}; '
                                f'copy {airfoil.NAME} from another clone to {path}') from None
    if (found := airfoil.sha1(content)) != registered:
        raise airfoil.DataError(f'{address} serves a damaged file: expected SHA-1 {registered}, found {found}; '
                                f'{path} is left as it was')
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as stream:
        stream.write(content)
    return path


def download(address):
    """The bytes at an address, at most LARGEST; TimeoutError after LONGEST seconds, from a dripping server too."""
    import requests
    content, end = bytearray(), monotonic() + LONGEST
    with requests.get(address, timeout=30, stream=True) as answer:
        answer.raise_for_status()
        for byte in answer.iter_content(1):
            content += byte
            if monotonic() > end:
                raise TimeoutError
            if len(content) == LARGEST:
                break
    return bytes(content)
