"""Runs the sessions of a document at the prompt and compares what they print.

    repl_transcript.py DOCUMENT EEX RUN

The run is not the document's: one like it that takes seconds. So words have to be the same, and numbers that
depend on what was learned near enough: fractions are fractions, counts of operations within a factor of 2.5.
"""
import re
import subprocess
import sys

CLASSES = {"disc", "ring", "triangle", "square", "star", "cross", "crescent", "stripes", "checks", "spots"}
DECISIONS = ("is rejected", "goes on", "leaves")


def statements(path):
    """A list of (line, source, what is printed), each of the latter two a list of lines."""
    found, inside = [], False
    for number, line in enumerate(open(path), 1):
        line = line.rstrip("\n")
        if line.startswith("```"):
            inside = not inside
        elif inside and line.startswith("eex> "):
            found.append((number, [line[5:]], []))
        elif inside and line.startswith("...> ") and found:
            found[-1][1].append(line[5:])
        elif inside and found and found[-1][0] and not line.startswith("$"):
            found[-1][2].append(line)
        if line == "```" and not inside:
            found.append((0, [], []))  # what stands in other blocks is nobody's
    return [s for s in found if s[0]]


def run(eex, folder, session):
    """What each statement prints, at the prompt of that run."""
    text = "".join("\n".join(source) + f'\nprint "@@{i}"\n' for i, (_, source, _) in enumerate(session))
    done = subprocess.run([eex, "repl", folder], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    printed, lines = [], []
    for line in done.stdout.splitlines():
        if line == f"@@{len(printed)}":
            printed.append(lines)
            lines = []
        elif not line.startswith("warning: "):
            lines.append(line)
    if done.returncode or len(printed) != len(session):
        sys.exit(f"the prompt ended with {done.returncode} after {len(printed)} statements:\n{done.stdout[-2000:]}")
    return printed


def tokens(line):
    """Its words; what was learned is told by what kind of word it is."""
    line = re.sub(r"^(\s*\S*\s*\|).*", r"\1", line)  # a row of a plot
    for decision in DECISIONS:
        line = line.replace(decision, "DECISION")
    words = line.split()
    learned = any(word in CLASSES for word in words)
    words = ["CLASS" if word in CLASSES else "WHETHER" if learned and word in ("true", "false") else word for word in words]
    return ["DASHES" if re.fullmatch("[+]?--+", word) else word.rstrip(",") for word in words], learned


def number(word):
    if word in ("-", "-inf", "inf"):
        return 0.0
    try:
        return float(word)
    except ValueError:
        return None


def same_number(a, b, learned):
    if abs(a) <= 1 and abs(b) <= 1:
        return True
    if a == int(a) and b == int(b) and max(abs(a), abs(b)) < 1000:
        return a == b or learned
    if max(abs(a), abs(b)) < 100:
        return True
    return 0.4 < a / b < 2.5 if b else False


def same_line(wanted, got):
    (a, learned), (b, _) = tokens(wanted), tokens(got)
    if len(a) != len(b):
        return False
    for x, y in zip(a, b):
        p, q = number(x), number(y)
        if (p is None) != (q is None) or (p is None and x != y):
            return False
        if p is not None and not same_number(p, q, learned):
            return False
    return True


def main():
    session = statements(sys.argv[1])
    if len(session) < 25:
        sys.exit(f"only {len(session)} statements: are they no longer begun by \"eex> \"?")
    failed = 0
    for (line, source, wanted), got in zip(session, run(sys.argv[2], sys.argv[3], session)):
        if len(wanted) != len(got) or not all(map(same_line, wanted, got)):
            print(f"{sys.argv[1]}:{line}: {' '.join(source)}\n--- the document\n" + "\n".join(wanted) +
                  "\n--- the prompt\n" + "\n".join(got))
            failed = 1
    sys.exit(failed)


main()
