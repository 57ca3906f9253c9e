"""Text that is made to exhaust a parser, with the problem that each must result in. As a program: reads one of them.

`python -m tests.manifests.hostile NAME` prints one JSON object: the problems, the number of documents, the seconds of
processor time and the peak of memory in megabytes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gracegate.manifests import locate, read_manifest
from gracegate.model import SourceFile

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  x: "
JSON = '{"kind":"Pod","apiVersion":"v1","x":'
LONG_KEY = '{"' + "k" * 2000 + '":1,"kind":"Pod","x":'


class Input(NamedTuple):
    """`code` and `line` are those of the one expected problem; `code` is None for large text without a problem."""

    text: Callable[[], str | bytes]
    code: str | None = None
    line: int = 1


def bomb(row: str) -> str:
    """Ten anchors, each of which repeats the one before nine times."""
    rows = [f"  a{n}: &a{n} " + row.replace("*", ", ".join([f"*a{n - 1}"] * 9)) for n in range(1, 10)]
    return "\n".join([f"{POD}1", "  a0: &a0 {x: 1}", *rows])


def repeat(count: int, line: str) -> str:
    """`line` repeated `count` times, with its number for each `@`."""
    return "".join(line.replace("@", str(n)) for n in range(count))


INPUTS = {
    # Depth, which crashes recursive parsers and the loaders of ruamel.yaml.
    "50,000 brackets": Input(lambda: POD + "[" * 50_000, "too_deep", 5),
    "4,900,000 brackets": Input(lambda: POD + "[" * 4_900_000, "too_deep", 5),
    "deep JSON": Input(lambda: JSON + '{"a":' * 50_000, "too_deep"),
    "complete deep JSON": Input(lambda: JSON + "[" * 100_000 + "]" * 100_000 + "}", "too_deep"),
    "deep blocks": Input(lambda: POD + "1\n" + "".join(f"{' ' * n}a:\n" for n in range(2, 2000)), "too_deep", 105),
    "deep dashes": Input(lambda: f"{POD}\n   {'- ' * 50_000}a\n", "too_deep", 6),
    "deep questions": Input(lambda: f"{POD}1\n{'? ' * 2_000_000}", "too_deep", 6),
    # Aliases, which repeat more than their own text.
    "alias bomb": Input(lambda: bomb("[*]"), "too_many_nodes", 11),
    "merge bomb": Input(lambda: bomb("{<<: [*]}"), "too_many_nodes", 11),
    "cyclic anchor": Input(lambda: f"{POD}&x\n    b: *x\n", "syntax", 6),
    "cyclic merge": Input(lambda: f"{POD}&x\n    <<: *x\n", "syntax", 6),
    "aliases of a large list": Input(lambda: f"{POD}&b [{'1,' * 190}]\n  c: [{'*b,' * 1_000}]\n"),
    "5,000 aliases": Input(lambda: f"{POD}&b 1\n  c: [{'*b,' * 5_000}]\n", "too_many_aliases", 6),
    "50,000 anchors": Input(lambda: f"{POD}\n" + repeat(50_000, "    k@: &k@ 1\n")),
    # Size.
    "a plain scalar of 10 MB": Input(lambda: POD + "y" * 10_000_000, "too_large"),
    "a quoted scalar of 10 MB": Input(lambda: f'{POD}"{"y" * 10_000_000}"\n', "too_large"),
    "a plain scalar of 4.9 MB": Input(lambda: POD + "y" * 4_900_000),
    "an open quote of 4.9 MB": Input(lambda: f'{POD}"{"y" * 4_900_000}', "syntax", 5),
    "800,000 lines of text": Input(lambda: f"{POD}|\n" + repeat(800_000, "    y\n")),
    "1 MB of keys": Input(lambda: f"{POD}\n" + repeat(85_000, "    k@: 1\n")),
    "1 MB of keys in braces": Input(lambda: POD + "{" + repeat(85_000, "k@: 1, ") + "}\n"),
    "1 MB of one key": Input(lambda: f"{POD}\n" + repeat(110_000, "    k: 1\n"), "too_many_nodes", 99_999),
    "4 MB of JSON keys": Input(lambda: JSON + "{" + repeat(350_000, '"k@":1,') + '"z":1}}', "too_many_nodes"),
    "4 MB of JSON that YAML refuses": Input(lambda: LONG_KEY + "{" + repeat(350_000, '"k@":1,') + "}}", "syntax"),
    "4 MB of JSON escapes": Input(lambda: f'{JSON}"' + "\\ud83d\\ude00" * 400_000 + '"}'),
    "an open JSON string of escapes": Input(lambda: f'{LONG_KEY}"' + "\\\\" * 2_000_000, "syntax"),
    # Encodings.
    "invalid UTF-8": Input(lambda: POD.encode() + b"\xff\xfe\n", "encoding", 5),
    "invalid UTF-8 after 4 MB": Input(lambda: POD.encode() + b"y" * 4_000_000 + b"\xff\n", "encoding", 5),
    "UTF-16": Input(lambda: POD.encode("utf-16"), "encoding"),
    "UTF-16 without a mark": Input(lambda: POD.encode("utf-16-le"), "encoding"),
    "UTF-16 of another order, without a mark": Input(lambda: POD.encode("utf-16-be"), "encoding"),
    "NUL": Input(lambda: f"{POD}a\x00b\n", "syntax", 5),
    "NUL after 4 MB": Input(lambda: f"{POD}|\n" + f"    {'y' * 35}\n" * 110_000 + "\x00", "syntax", 110_006),
    "4 MB of NUL": Input(lambda: POD + "\x00" * 4_000_000, "syntax", 5),
    # Numbers.
    "4 MB of digits": Input(lambda: POD + "9" * 4_000_000),
    "4 MB of hexadecimal digits": Input(lambda: f"{POD}0x{'f' * 4_000_000}"),
    "4 MB of octal digits": Input(lambda: f"{POD}0{'7' * 4_000_000}"),
    "4 MB of an exponent": Input(lambda: f"{POD}1e{'9' * 4_000_000}"),
    "many long numbers": Input(lambda: f"{POD}[{','.join(['9' * 5_000] * 900)}]"),
    # Searches before anything is parsed.
    "4.5 MB of kinds on one line": Input(lambda: "kind:" * 900_000),
    "4.8 MB of kinds with names on one line": Input(lambda: "kind: a " * 600_000),
    "800,000 kinds": Input(lambda: "kind:\n" * 800_000),
    "1,200,000 markers": Input(lambda: f"{POD}1\n" + "---\n" * 1_200_000, "too_many_documents"),
    "1,200,000 document ends": Input(lambda: f"{POD}1\n" + "...\n" * 1_200_000, "too_many_documents"),
    "800,000 markers with comments": Input(lambda: f"{POD}1\n" + "---\n#\n" * 800_000, "too_many_documents"),
    "300,000 objects": Input(lambda: "---\nkind: Pod\n" * 300_000, "too_many_documents"),
    "9,000 objects": Input(lambda: "---\nkind: Pod\n" * 9_000),
    "60,000 listed objects": Input(lambda: "kind: List\nitems:\n" + "- kind: Job\n" * 60_000, "too_many_documents"),
    "4.8 MB of comments": Input(lambda: f"{POD}1\n---\n" + "#\n" * 2_400_000),
    "4.8 MB of directives": Input(lambda: f"{POD}1\n---\n" + "%a\n" * 1_600_000),
    "4.9 MB of blank lines": Input(lambda: f"{POD}1\n" + "\n" * 4_900_000),
    "4.8 MB of tabs": Input(lambda: f"{POD}1\n" + "\t\n" * 2_400_000, "syntax", 6),
    "4.8 MB of templates": Input(lambda: f"{POD}1\n" + "{{ x }}\n" * 600_000, "template", 6),
    "4.8 MB of colons": Input(lambda: POD + "a: " * 1_600_000, "syntax", 5),
    "4 MB of tags": Input(lambda: POD + "!" * 4_000_000),
}  # fmt: skip


def main(name: str) -> None:
    content = INPUTS[name].text()
    data = content.encode() if isinstance(content, str) else content
    started = time.process_time()
    manifest = read_manifest(SourceFile("a.yaml", data), "")
    for document in manifest.documents[-1:]:
        locate(manifest, document, ("spec", "x"))
    result = {
        "problems": [(problem.line, problem.code) for problem in manifest.problems],
        "documents": len(manifest.documents),
        "seconds": round(time.process_time() - started, 3),
        "megabytes": peak_kilobytes() // 1024,
    }
    print(json.dumps(result))


def peak_kilobytes() -> int:
    """The most memory that this process had. getrusage would give that of the process it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])


if __name__ == "__main__":
    main(sys.argv[1])
