"""What the SAM transform makes of template.yaml."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
SOURCE = (ROOT / "template.yaml").read_text()


class NoManagedPolicies:
    """SAM asks AWS for its managed policies; the template needs none."""

    def load(self) -> dict[str, str]:
        raise AssertionError("the template uses a managed policy by name")


@cache
def _text() -> str:
    return json.dumps(yaml_parse(SOURCE))


def source() -> Json:
    """Return the template as it is written; what an anchor names, once each."""
    template: Json = json.loads(_text())
    return template


def transformed(layer: str = "layer.zip", **parameters: str) -> Json:
    """Return the resources that CloudFormation gets to see."""
    made: Json = json.loads(_transformed(layer, tuple(parameters.items())))
    return made


@cache
def _transformed(layer: str, parameters: tuple[tuple[str, str], ...]) -> str:
    template = source()
    for resource in template["Resources"].values():
        for code, key in (("CodeUri", "code.zip"), ("ContentUri", layer)):
            if code in resource["Properties"]:
                resource["Properties"][code] = f"s3://bucket/{key}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        return json.dumps(transform(template, dict(parameters), NoManagedPolicies())["Resources"])
