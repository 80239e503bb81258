"""Uses the AWS bindings as an app may and writes what it saw, as JSON, to the file given.

The order matters: each part notes what is loaded before the next one loads more.
"""

from __future__ import annotations

import constructs_lib

# isort: split
import importlib
import importlib.resources
import importlib.util
import inspect
import json
import os
import pickle
import subprocess
import sys
import threading
import typing
from pathlib import Path
from typing import Any

PACKAGE = "cdktf_cdktf_provider_aws"
RESULT, OUTPUT = map(Path, sys.argv[1:])
vars(importlib.import_module("constructs_lib._engine.bindings"))["_INDEX_TIMEOUT"] = 300.0  # the machine may be busy
seen: dict[str, Any] = {"library": constructs_lib.__file__}


def loaded(package: str = PACKAGE) -> list[str]:
    """Return the submodules of a provider package that are imported."""
    names = (name.removeprefix(f"{package}.") for name in sys.modules if name.startswith(f"{package}."))
    return sorted(name for name in names if "." not in name and not name.startswith("_"))


def error(action: Any) -> str:
    """Return the type and text of what an action raises."""
    try:
        action()
    except Exception as raised:  # noqa: BLE001  whichever it is, is the question
        return f"{type(raised).__name__}: {raised}"
    return "nothing"


def from_import(name: str) -> None:
    """Run `from PACKAGE import name`."""
    exec(f"from {PACKAGE} import {name}", {})  # noqa: S102


# --- looking at the package -------------------------------------------------------------------------------------
found = importlib.util.find_spec(PACKAGE)
seen["found, not imported"] = found is not None and PACKAGE not in sys.modules
aws: Any = importlib.import_module(PACKAGE)
folder = Path(aws.__path__[0])
seen["package"] = {
    "file": aws.__file__ == str(folder / "__init__.py") == aws.__spec__.origin,
    "path": list(aws.__path__) == aws.__spec__.submodule_search_locations,
    "spec": aws.__spec__.name,
    "package": aws.__package__,
    "source": inspect.getsource(aws) == (folder / "__init__.py").read_text(),
    "resource": importlib.resources.files(aws).joinpath("py.typed").is_file(),
    "dir": {"vpc", "__file__", "__path__"} < set(dir(aws)),
    "all": len(aws.__all__) > 2000 and set(aws.__all__) < set(dir(aws)),
    "on disk": {name for name in aws.__all__ if not (folder / name / "__init__.py").is_file()} == set(),
}
seen["bad names"] = {
    "attribute": error(lambda: aws.no_such_thing),
    "has": hasattr(aws, "no_such_thing"),
    "from": error(lambda: from_import("no_such_thing")).split(" (")[0],
    "import": error(lambda: importlib.import_module(f"{PACKAGE}.no_such_thing")),
}
seen["after a look"] = {"submodules": loaded(), "kernel": "cdktf" in sys.modules or "jsii" in sys.modules}

# --- an app -----------------------------------------------------------------------------------------------------
vpc_class = aws.vpc.Vpc
from_import("subnet")
seen["counter"] = {"submodules": loaded(), "subnet": aws.subnet.Subnet.__name__, "has": hasattr(aws, "vpc")}

cdktf = importlib.import_module("cdktf")
jsii = importlib.import_module("jsii")
app = cdktf.App(outdir=str(OUTPUT))
stack = cdktf.TerraformStack(app, "network")
aws.provider.AwsProvider(stack, "aws", region="eu-west-1")
vpc = vpc_class(stack, "vpc", cidr_block="10.0.0.0/16")
aws.subnet.Subnet(stack, "subnet", vpc_id=vpc.id, cidr_block="10.0.1.0/24")
app.synth()
seen["app"] = {
    "submodules": loaded(),
    "resources": json.loads((OUTPUT / "stacks" / "network" / "cdk.tf.json").read_text())["resource"],
    "resource": issubclass(vpc_class, cdktf.TerraformResource),
}

# --- the types of arguments ------------------------------------------------------------------------------------
hints = vpc_class.__init__.__globals__["typing"].get_type_hints
first = hints.cache_info().misses
vpc_class(stack, "second", cidr_block="10.1.0.0/16")
seen["checks"] = {
    "worked out again": hints.cache_info().misses - first,
    "asked again": hints.cache_info().hits > 0,
    "refused": error(lambda: vpc_class(stack, 7)),
    "everybody's": typing.get_type_hints is not hints and not hasattr(typing.get_type_hints, "cache_info"),
    "engine's": cdktf.TerraformOutput.__init__.__globals__["typing"].get_type_hints is hints,
}

# --- a type that only JavaScript has met ------------------------------------------------------------------------
kernel_types = importlib.import_module("jsii._kernel.types")
create = kernel_types.CreateRequest(
    fqn="@cdktf/provider-aws.snsTopic.SnsTopic",
    args=[kernel_types.ObjRef(stack.__jsii_ref__.ref), "topic", {}],
    overrides=[],
    interfaces=[],
)
jsii.kernel.provider.create(create)
before = loaded()
topic = stack.node.find_child("topic")
seen["type from JavaScript"] = {
    "imported before": "sns_topic" in before,
    "type": f"{type(topic).__module__}.{type(topic).__qualname__}",
    "instance": isinstance(topic, aws.sns_topic.SnsTopic),
}
reference_map = importlib.import_module("jsii._reference_map")
seen["javascript names"] = sorted(
    name.partition(".")[2] for name in reference_map._submodule_fqn_map if name.startswith("@cdktf/provider-aws.")
)

# --- what Python does with modules ------------------------------------------------------------------------------
seen["pickle"] = pickle.loads(pickle.dumps(vpc_class)) is vpc_class  # noqa: S301
seen["source of a class"] = inspect.getsource(aws.sns_topic.SnsTopic).startswith("class SnsTopic(")
before = loaded()
seen["reload"] = {
    "same": importlib.reload(aws) is aws and aws.vpc.Vpc is vpc_class,
    "loaded": loaded() == before,
    "lazy": aws.sqs_queue.SqsQueue.__name__,
    "submodule": importlib.reload(aws.sns_topic).SnsTopic.__name__,
}

NAMES = ["s3_bucket", "kms_key", "iam_role", "s3_bucket", "ecs_cluster", "kms_key", "eip", "s3_bucket"]
ready = threading.Barrier(len(NAMES))
got: list[tuple[str, str]] = []


def import_one(name: str) -> None:
    """Import a submodule at the same moment as the other threads do."""
    ready.wait()
    got.append((name, getattr(aws, name).__name__))


threads = [threading.Thread(target=import_one, args=(name,)) for name in NAMES]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
seen["threads"] = sorted(got) == sorted((name, f"{PACKAGE}.{name}") for name in NAMES)

# --- small packages, and the caller's environment ---------------------------------------------------------------
small = [importlib.import_module(f"cdktf_cdktf_provider_{name}") for name in ("random", "archive")]
seen["small"] = {
    module.__name__: {
        "loader": type(module.__loader__).__name__,
        "all loaded": loaded(module.__name__) == sorted(module.__all__),
        "lazy": "__getattr__" in vars(module),
    }
    for module in small
}
node = ["node", "-p", "process.env.NODE_OPTIONS"]
seen["node options"] = {
    "variable": os.environ["NODE_OPTIONS"],
    "other process": subprocess.run(node, capture_output=True, text=True, check=True).stdout.strip(),
}
RESULT.write_text(json.dumps(seen))
