"""Holds the server to its two OpenAPI documents: starts the real binary in a folder of its own and
lets schemathesis ask whatever the documents allow and whatever they forbid.

    run.py           some examples of every operation, always the same
    run.py --long    many

It ends with 1 when an answer is a fault, is not documented, is not as documented, or is given to
somebody who has not said who they are (E3, A-14, A-88, A-92).
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = pathlib.Path(os.environ.get("SPARE_KEY_BIN", TARGET / "debug/spare-key"))
SCHEMATHESIS = HERE / ".tools/python/bin/schemathesis"

DOCUMENTS = ["/openapi.json", "/swagger/ui/json"]
SEED = "20261121"


def examine(origin, document, examples):
    command = [
        SCHEMATHESIS,
        "--config-file", HERE / "schemathesis.toml",
        "run", origin + document,
        "--url", origin,
        "--seed", SEED,
        "--max-examples", str(examples),
    ]
    env = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "principals",
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "SPARE_KEY_ORIGIN": origin,
        "NO_COLOR": "1",
    }
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(list(map(str, command)), cwd=folder, env=env).returncode == 0


def main():
    arguments = sys.argv[1:]
    if arguments not in ([], ["--long"]):
        sys.exit(f"run.py takes --long or nothing, not {arguments}")
    examples = 300 if arguments else 10
    for needed in [BINARY, SCHEMATHESIS]:
        if not needed.exists():
            sys.exit(f"there is no {needed}: tests/run --install and cargo build")
    passed = True
    for document in DOCUMENTS:
        # A server for each: what one run does to the demo tenant is nothing to the other.
        with tempfile.TemporaryDirectory() as folder, open(f"{folder}/log", "w+") as log:
            env = {**os.environ, "SPARE_KEY_LOG": "warn"}
            command = [BINARY, "dev", "--listen", "127.0.0.1:0"]
            with subprocess.Popen(
                command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True
            ) as server:
                try:
                    lines = iter(server.stdout.readline, "")
                    found = (re.match(r"Listening on (\S+)", line) for line in lines)
                    origin = next((one[1] for one in found if one), None)
                    fine = origin is not None and examine(origin, document, examples)
                    fine = server.poll() is None and fine
                finally:
                    server.terminate()
            if not fine:
                log.seek(0)
                sys.stderr.write(log.read())
            print(f"{document}: {'as it says' if fine else 'NOT as it says'}", flush=True)
            passed = passed and fine
    sys.exit(0 if passed else 1)


main()
