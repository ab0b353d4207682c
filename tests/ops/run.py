"""Prometheus' own promtool over server/ops: the rules, their tests, and the questions of the dashboard.

That every figure they ask for is told by the server is the business of tests/it/watching.rs.
"""

import json
import pathlib
import subprocess
import tempfile

OPS = pathlib.Path(__file__).resolve().parents[2] / "server/ops"


def promtool(*words, folder=OPS):
    subprocess.run(["promtool", *words], cwd=folder, check=True)


def questions(dashboard):
    """What the panels ask, with Grafana's variables filled in."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expr = target["expr"]
            yield expr.replace("$__rate_interval", "5m").replace("$job", "spare-key")


promtool("check", "rules", "alerts.yaml")
promtool("test", "rules", "alerts-test.yaml")

dashboard = json.loads((OPS / "grafana.json").read_text())
# JSON is YAML, and a question is the expression of a rule that records it.
rules = [
    {"record": f"panel:{n}", "expr": expr} for n, expr in enumerate(questions(dashboard))
]
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder) / "dashboard.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", file.name, folder=folder)
