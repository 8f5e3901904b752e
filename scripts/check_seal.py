#!/usr/bin/env python3
"""Whether files of eex are what their seals say: check_seal.py FILE... (h5py, numpy, xxhash).

docs/store-format.md describes the seal. eex checks it by itself; this is for those who do not want to take
its word for it.
"""

import sys

import h5py
import numpy
import xxhash


def total(data):
    return xxhash.xxh64(data).hexdigest()


def lines_total(lines):
    return total("".join(line + "\n" for line in lines).encode())


def type_of(thing):
    return f"string[{thing.dtype.itemsize}]" if thing.dtype.kind == "S" else thing.dtype.name


def what(thing):
    return type_of(thing) + "".join(f" {extent}" for extent in thing.shape)


def attribute_line(thing, name):
    attribute = thing.attrs.get_id(name)
    value = numpy.empty(attribute.shape, attribute.dtype)
    attribute.read(value)
    return f"@{name}\t{what(attribute)} {total(value.tobytes())}"


def head(thing):
    names = [name for name in thing.attrs if (thing.name, name) != ("/", "eex_seal")]
    first = "group" if isinstance(thing, h5py.Group) else what(thing)
    return lines_total([first] + sorted(attribute_line(thing, name) for name in names))


def content(thing):
    return total(b"" if isinstance(thing, h5py.Group) else thing[()].tobytes())


def check(file):
    lines = [line.decode() for line in file["eex_seal"][()]]
    if lines_total(lines) != file.attrs["eex_seal"].decode():
        return "the list is another than that which was sealed"
    names = ["/"]
    file.visit(lambda name: names.append("/" + name))
    names.remove("/eex_seal")
    if sorted(names, key=str.encode) != [line[34:] for line in lines]:
        return "it has other objects than were sealed"
    for line in lines:
        thing = file[line[34:]]
        if line[:16] != head(thing):
            return f"{line[34:]} has another type, other extents or other attributes"
        if line[17:33] != content(thing):
            return f"{line[34:]} has another content"
    return None


bad = 0
for path in sys.argv[1:]:
    with h5py.File(path) as opened:
        wrong = check(opened) if "eex_seal" in opened.attrs else "it has no seal"
    print(f"{path}: {wrong or 'as it was sealed'}")
    bad |= wrong is not None
sys.exit(bad)
