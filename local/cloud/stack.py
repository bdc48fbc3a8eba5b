"""Create the system's stack on the embedded cloud, from `template.yaml` itself."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.cloud import routes
from local.cloud.embedded import REGION, ROOT
from local.cloud.package import function_zip, layer_zip
from local.errors import Refused

BUCKET = "artefacts"
NAME = "orders"

_FUNCTION = "AWS::Serverless::Function"
_LAYER = "AWS::Serverless::LayerVersion"
_API = "AWS::ApiGatewayV2::Api"
_WAITING = {"Delay": 0.05, "MaxAttempts": 2400}  # two minutes
#: The outputs that name the functions, by the directory of their code.
_FUNCTION_NAMES = {
    "execute": "ExecuteFunctionName",
    "worker": "WorkerFunctionName",
    "ws_connect": "WsConnectFunctionName",
    "ws_notify": "WsNotifyFunctionName",
    "reconcile": "ReconcileFunctionName",
    "trigger": "TriggerFunctionName",
    "console": "ConsoleFunctionName",
    "operate": "OperateFunctionName",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """A template that names its code by S3 key, and that code by key.

    `functions` names each function's logical id by the directory of its code.
    """

    template: str
    objects: Mapping[str, bytes]
    functions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stack:
    """The deployed stack; `functions` holds full names by directory (`execute`, `worker`, ...)."""

    name: str
    http_url: str
    ws_url: str
    functions: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def table(self) -> str:
        return self.outputs["TableName"]

    @property
    def order_queue(self) -> str:
        return self.outputs["OrderQueueUrl"]

    @property
    def dead_letter_queue(self) -> str:
        return self.outputs["DeadLetterQueueUrl"]


def bundle(template: Path = ROOT / "template.yaml") -> Bundle:
    """Pack what the template names by path."""
    from samtranslator.yaml_helper import yaml_parse

    parsed = yaml_parse(template.read_text())
    objects: dict[str, bytes] = {}
    functions: dict[str, str] = {}
    for logical_id, resource in parsed["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == _FUNCTION:
            directory = template.parent / properties["CodeUri"]
            functions[directory.name] = logical_id
            properties["CodeUri"] = _stored(objects, logical_id, function_zip(directory))
        elif resource["Type"] == _LAYER:
            directory = template.parent / properties["ContentUri"]
            properties["ContentUri"] = _stored(objects, logical_id, layer_zip(directory))
    return Bundle(json.dumps(parsed, default=str), objects, functions)


def _stored(objects: dict[str, bytes], logical_id: str, data: bytes) -> dict[str, str]:
    key = f"{logical_id}-{hashlib.sha256(data).hexdigest()[:16]}.zip"
    objects[key] = data
    return {"Bucket": BUCKET, "Key": key}


def deploy(
    endpoint_url: str, packed: Bundle, parameters: Mapping[str, str], *, name: str = NAME
) -> Stack:
    """Create or update the stack, wait for it, and give its HTTP API its routes.

    Raises Refused.
    """
    from local.cloud import aws

    session = aws.session()
    formation = aws.client("cloudformation", endpoint_url, session)
    new_order = {
        "StackName": name,
        "TemplateURL": _upload(aws.client("s3", endpoint_url, session), packed, endpoint_url),
        "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        formation.create_stack(**new_order)
        _wait(formation, "stack_create_complete", name)
    except formation.exceptions.AlreadyExistsException:
        if _update(formation, new_order):
            _wait(formation, "stack_update_complete", name)
    return connect(endpoint_url, name)


def connect(endpoint_url: str, name: str) -> Stack:
    """Give the HTTP API of a stack that is complete, whoever deployed it, its routes.

    Raises Refused if it is not complete.
    """
    from local.cloud import aws

    session = aws.session()
    formation = aws.client("cloudformation", endpoint_url, session)
    described = formation.describe_stacks(StackName=name)["Stacks"][0]
    if described["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise Refused(f"the stack is {described['StackStatus']}: {_why(formation, name)}")
    resources = formation.describe_stack_resources(StackName=name)["StackResources"]
    physical = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in resources}
    gateway = aws.client("apigatewayv2", endpoint_url, session)
    processed = formation.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    resolver = routes.Resolver(physical | _pseudo_parameters(described))
    chosen = {p["ParameterKey"]: p["ParameterValue"] for p in described.get("Parameters", [])}
    urls: dict[str, str] = {}
    for logical_id, resource in processed["Resources"].items():
        if resource["Type"] != _API:
            continue
        api_id = physical[logical_id]
        if "Body" in resource["Properties"]:
            body = resource["Properties"]["Body"]
            routes.wire(api_id, body, resolver, gateway)
            routes.allow_origins(api_id, body, chosen.get("AllowedOrigins", ""), gateway)
        stage = gateway.get_stages(ApiId=api_id)["Items"][0]["StageName"]
        kind = resource["Properties"].get("ProtocolType", "HTTP")
        urls[kind] = f"{endpoint_url}/_aws/execute-api/{api_id}/{stage}"
    outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    return Stack(
        name=name,
        http_url=urls["HTTP"],
        ws_url=urls["WEBSOCKET"].replace("http", "ws", 1),
        functions={directory: outputs[output] for directory, output in _FUNCTION_NAMES.items()},
        outputs=outputs,
    )


def _update(formation: Any, new_order: Mapping[str, Any]) -> bool:
    """Update the stack; return whether there is anything to update."""
    from botocore.exceptions import ClientError

    try:
        formation.update_stack(**new_order)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        return False
    return True


def _wait(formation: Any, what: str, name: str) -> None:
    from botocore.exceptions import WaiterError

    try:
        formation.get_waiter(what).wait(StackName=name, WaiterConfig=_WAITING)
    except WaiterError as error:
        raise Refused(f"the stack is not complete: {_why(formation, name)}") from error


def _upload(storage: Any, packed: Bundle, endpoint_url: str) -> str:
    storage.create_bucket(Bucket=BUCKET)
    for key, data in packed.objects.items():
        storage.put_object(Bucket=BUCKET, Key=key, Body=data)
    storage.put_object(Bucket=BUCKET, Key="template.json", Body=packed.template.encode())
    return f"{endpoint_url}/{BUCKET}/template.json"


def _why(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failures = [
        f"{e['LogicalResourceId']}: {e['ResourceStatusReason']}"
        for e in reversed(events)
        if e["ResourceStatus"].endswith("FAILED") and e.get("ResourceStatusReason")
    ]
    return failures[0] if failures else "no reason given"


def _pseudo_parameters(described: Mapping[str, Any]) -> dict[str, str]:
    account = described["StackId"].split(":")[4]
    return {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": account,
        "AWS::StackName": described["StackName"],
    }
