"""Results: JSON per suite under target/bench, and tables between the markers of docs/benchmarks.md."""

import dataclasses
import datetime
import json
import operator
import os
import platform
import re
import subprocess

TESTS = {"<=": operator.le, ">=": operator.ge}


@dataclasses.dataclass
class Row:
    """One figure, what it is held against, and whether it holds."""

    what: str
    figure: float
    unit: str
    test: str
    target: float
    basis: str = ""

    def met(self):
        return TESTS[self.test](self.figure, self.target)


class Result:
    """Everything one suite found."""

    def __init__(self, suite, title):
        self.suite, self.title = suite, title
        self.rows, self.tables, self.notes, self.raw = [], [], [], {}

    def hold(self, what, figure, unit, test, target, basis=""):
        """A figure with a target."""
        self.rows.append(Row(what, figure, unit, test, target, basis))

    def table(self, heads, lines):
        """Absolute figures behind the ratios."""
        self.tables.append((heads, lines))

    def note(self, text):
        self.notes.append(text)

    def markdown(self, machine):
        when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        text = [f"Measured {when} on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['kernel']};"
                f" {machine['rustc']}; commit {machine['commit']}.", ""]
        text += ["| what | measured | target | |", "|---|--:|--:|---|"]
        for row in self.rows:
            verdict = "pass" if row.met() else "**below**"
            basis = f" ({row.basis})" if row.basis else ""
            text.append(f"| {row.what}{basis} | {number(row.figure)} {row.unit} | {row.test} {number(row.target)} {row.unit} | {verdict} |")
        for heads, lines in self.tables:
            text += ["", "| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
            text += ["| " + " | ".join(str(cell) for cell in line) + " |" for line in lines]
        text += [""] + [f"* {note}" for note in self.notes] if self.notes else []
        return "\n".join(text)

    def save(self, folder, docs, machine):
        """Writes the JSON, and the tables into the document."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = [{**dataclasses.asdict(row), "met": row.met()} for row in self.rows]
        whole = {"suite": self.suite, "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                 "machine": machine, "rows": rows, "notes": self.notes, "raw": self.raw}
        (folder / f"{self.suite}.json").write_text(json.dumps(whole, indent=1))
        if docs:
            begin, end = f"<!-- bench:{self.suite} -->", f"<!-- /bench:{self.suite} -->"
            text = docs.read_text()
            if begin not in text or end not in text:
                raise RuntimeError(f"{docs} has no place for the suite {self.suite}: add {begin} and {end}")
            head, rest = text.split(begin)
            tail = rest.split(end)[1]
            docs.write_text(f"{head}{begin}\n{self.markdown(machine)}\n{end}{tail}")

    def show(self):
        for row in self.rows:
            print(f"{'pass ' if row.met() else 'BELOW'}  {row.what}: {number(row.figure)} {row.unit} "
                  f"(target {row.test} {number(row.target)}) {row.basis}")


def number(value):
    """Three significant digits, no exponent, thousands separated."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine(root):
    """What the figures were measured on."""
    def text(path):
        with open(path, encoding="utf-8") as file:
            return file.read()

    def output(*command):
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
        return done.stdout.strip() if done.returncode == 0 else "unknown"

    cpu = re.search(r"model name\s*:\s*(.*)", text("/proc/cpuinfo"))
    memory = int(re.search(r"MemTotal:\s*(\d+)", text("/proc/meminfo")).group(1))
    return {
        "cpu": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(), "memory_gib": round(memory / 2**20),
        "kernel": f"Linux {platform.release()}", "rustc": output("rustc", "--version"),
        "commit": output("git", "rev-parse", "--short", "HEAD"),
    }
