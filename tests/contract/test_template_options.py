"""What the template makes of its options: versions in steps, capacity by the hour, one address."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from local.door.front_door import watching
from tests.contract.transform import ROOT, Json, source, transformed

FUNCTIONS = {
    *("Execute", "Worker", "WsConnect", "WsNotify", "Reconcile", "Trigger", "Console", "Operate")
}
ORDER_ID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def at_once() -> Json:
    return transformed()


@pytest.fixture(scope="module")
def in_steps() -> Json:
    return transformed(Rollout="Canary10Percent5Minutes")


def named(value: Any, names: set[str]) -> set[str]:
    """Return which of `names` a part of a template refers to."""
    if isinstance(value, dict):
        found = set()
        for key, inner in value.items():
            if key == "Ref":
                found |= {inner} & names
            elif key == "Fn::GetAtt":
                found |= {inner[0]} & names
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                found |= {n for n in names if f"${{{n}}}" in text or f"${{{n}." in text}
                found |= named(inner, names) if isinstance(inner, list) else set()
            else:
                found |= named(inner, names)
        return found
    if isinstance(value, list):
        return set().union(*(named(inner, names) for inner in value))
    return set()


# Versions


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_whatever_calls_a_function_calls_it_by_its_alias(at_once, name):
    alias = f"{name}FunctionAliaslive"
    assert at_once[alias]["Properties"]["Name"] == "live"
    callers = {
        logical_id: resource
        for logical_id, resource in at_once.items()
        if resource["Type"]
        in {
            "AWS::ApiGatewayV2::Api",
            "AWS::ApiGatewayV2::Integration",
            "AWS::Lambda::EventSourceMapping",
            "AWS::Scheduler::Schedule",
        }
        and named(resource["Properties"], {f"{name}Function", alias})
    }
    assert callers
    for resource in callers.values():
        assert named(resource["Properties"], {f"{name}Function", alias}) == {alias}


def test_a_new_layer_is_a_new_version_of_every_function():
    """Nearly all code is in the layer: without this its change would reach no alias."""
    before, after = (
        {n for n, r in transformed(layer=key).items() if r["Type"] == "AWS::Lambda::Version"}
        for key in ("one.zip", "another.zip")
    )
    assert len(before) == len(after) == len(FUNCTIONS)
    assert not before & after


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_other_parameters_are_a_new_version_of_the_functions_that_see_them(at_once, name):
    """SAM does not see them, and Lambda refuses to publish a version of what has not changed."""
    parameters = set(source()["Parameters"])
    (version,) = (
        resource["Properties"]
        for resource in at_once.values()
        if resource["Type"] == "AWS::Lambda::Version"
        and resource["Properties"]["FunctionName"] == {"Ref": f"{name}Function"}
    )
    function = at_once[f"{name}Function"]["Properties"]
    assert named(version["Description"], parameters) == named(function, parameters)
    assert longest(version["Description"]) < 256


def longest(text: Any) -> int:
    """Return how long a text can be, by what its parameters may be."""
    match text:
        case {"Fn::If": [_, one, other]}:
            return max(longest(one), longest(other))
        case {"Fn::Sub": [str(sub), dict(inner)]}:
            return longest({"Fn::Sub": sub}) + sum(longest(value) for value in inner.values())
        case {"Fn::Sub": str(sub)}:
            names = re.findall(r"\$\{(\w+)\}", sub)
            return len(re.sub(r"\$\{\w+\}", "", sub)) + sum(map(longest_value, names))
    raise AssertionError(text)


def longest_value(name: str) -> int:
    parameter = source()["Parameters"].get(name)
    match parameter:
        case None:  # a part with a text of its own
            return 0
        case {"AllowedValues": values}:
            return max(map(len, values))
        case {"Type": "Number"}:
            return len(str(parameter.get("MaxValue", 10**8)))
        case {"MaxLength": longest}:
            return int(longest)
        case {"AllowedPattern": str(pattern)}:
            return len("https://") + int(re.findall(r",(\d+)\}", pattern)[0])
    raise AssertionError(name)


def snapped(resources: Json, asked: str) -> set[str]:
    """Return the functions whose published versions are snapshots if SnapStart is `asked`."""
    rows = source()["Mappings"]["SnapStarts"]
    apply_on = {"Fn::FindInMap": ["SnapStarts", {"Ref": "SnapStart"}, "ApplyOn"]}
    having = {n for n in FUNCTIONS if "SnapStart" in resources[f"{n}Function"]["Properties"]}
    for name in having:
        assert resources[f"{name}Function"]["Properties"]["SnapStart"] == {"ApplyOn": apply_on}
    return having if rows[asked]["ApplyOn"] == "PublishedVersions" else set()


def test_no_function_starts_from_a_snapshot_unless_asked(at_once):
    assert source()["Parameters"]["SnapStart"]["Default"] == "off"
    assert snapped(at_once, "off") == set()


@pytest.mark.parametrize("rollout", ["AllAtOnce", "Canary10Percent5Minutes"])
def test_what_a_person_waits_for_starts_from_a_snapshot_of_the_version_behind_its_alias(rollout):
    """SnapStart takes Python from 3.12 and arm64, and none of the four things named here."""
    resources = transformed(Rollout=rollout)
    assert snapped(resources, "on") == {"Execute", "WsConnect"}
    for name in snapped(resources, "on"):
        function = resources[f"{name}Function"]["Properties"]
        alias = resources[f"{name}FunctionAliaslive"]["Properties"]
        version = resources[alias["FunctionVersion"]["Fn::GetAtt"][0]]
        assert version["Properties"]["FunctionName"] == {"Ref": f"{name}Function"}
        assert function["Runtime"] == "python3.13"
        assert not {"EphemeralStorage", "FileSystemConfigs", "ImageConfig"} & set(function)
        assert "ProvisionedConcurrencyConfig" not in alias


def test_a_function_prepares_a_snapshot_only_if_it_can_have_one():
    assert {name for name in FUNCTIONS if "register_before_snapshot" in doorway(name)} == {
        "Execute",
        "WsConnect",
    }


def doorway(name: str) -> str:
    """Return the code of a function by the name of its resource."""
    uri: str = source()["Resources"][f"{name}Function"]["Properties"]["CodeUri"]
    return (ROOT / uri / "app.py").read_text()


def test_at_once_needs_no_deployer(at_once):
    assert not [r for r in at_once.values() if r["Type"].startswith("AWS::CodeDeploy::")]
    for resource in at_once.values():
        assert "UpdatePolicy" not in resource


def test_in_steps_every_alias_moves_by_a_canary_that_an_alarm_takes_back(in_steps):
    for name in FUNCTIONS:
        group = in_steps[f"{name}FunctionDeploymentGroup"]["Properties"]
        policy = in_steps[f"{name}FunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
        assert policy["DeploymentGroupName"] == {"Ref": f"{name}FunctionDeploymentGroup"}
        assert group["DeploymentConfigName"]["Fn::Sub"][1] == {
            "ConfigName": "Canary10Percent5Minutes"
        }
        assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]
        alarms = named(group["AlarmConfiguration"], set(in_steps))
        assert len(alarms) <= 10  # CodeDeploy's limit
        assert alarms >= {"ServerErrorsAlarm", "WorkerErrorsAlarm", "DeadLettersAlarm"}
        assert all(in_steps[alarm]["Type"] == "AWS::CloudWatch::Alarm" for alarm in alarms)


def test_server_errors_are_counted_in_the_access_log_as_it_is_written(in_steps):
    """The engine answers its own 500s, so Lambda sees no error; an alarm has to look at answers."""
    stage = in_steps["HttpApiApiGatewayDefaultStage"]["Properties"]["AccessLogSettings"]
    assert json.loads(stage["Format"])["status"] == "$context.status"  # a string: "500"
    counted = in_steps["ServerErrors"]["Properties"]
    assert counted["FilterPattern"] == '{ $.status = "5*" }'
    assert stage["DestinationArn"]["Fn::GetAtt"][0] == counted["LogGroupName"]["Ref"]
    alarm = in_steps["ServerErrorsAlarm"]["Properties"]
    (metric,) = counted["MetricTransformations"]
    assert alarm["MetricName"] == metric["MetricName"]
    assert alarm["Namespace"] == metric["MetricNamespace"]


def test_the_deployer_may_shift_our_functions_and_no_others(in_steps):
    role = in_steps["RolloutRole"]
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    shift = next(statement for statement in statements if statement["Sid"] == "Shift")
    assert named(shift["Resource"], set(in_steps)) == {f"{name}Function" for name in FUNCTIONS}
    assert set(role["Metadata"]["Wildcards"]) == {"Watch", "Shift"}
    assert "CodeDeployServiceRole" not in in_steps


@pytest.mark.parametrize("rollout", ["AllAtOnce", "Linear10PercentEvery1Minute"])
def test_nothing_waits_for_itself(rollout):
    """An alias waits for its alarms; an alarm on an API would wait for the alias in turn."""
    resources = transformed(Rollout=rollout)
    needs = {
        logical_id: named(resource, set(resources)) - {logical_id}
        | set([d] if isinstance(d := resource.get("DependsOn", []), str) else d)
        for logical_id, resource in resources.items()
    }
    while needs:
        ready = {logical_id for logical_id, waits in needs.items() if not waits & needs.keys()}
        assert ready, f"a circle among {sorted(needs)}"
        needs = {
            logical_id: waits for logical_id, waits in needs.items() if logical_id not in ready
        }


# Capacity

SCALING = {
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
}
UNITS = {
    "WriteCapacityUnits": "DynamoDBWriteCapacityUtilization",
    "ReadCapacityUnits": "DynamoDBReadCapacityUtilization",
}


def chosen(value: Any, *, when: set[str]) -> Any:
    """Return a part of a template as it is when the conditions `when` hold and no others."""
    if isinstance(value, list):
        return [chosen(inner, when=when) for inner in value]
    if not isinstance(value, dict):
        return value
    if "Fn::If" in value:
        condition, held, otherwise = value["Fn::If"]
        return chosen(held if condition in when else otherwise, when=when)
    made = {key: chosen(inner, when=when) for key, inner in value.items()}
    return {key: inner for key, inner in made.items() if inner != {"Ref": "AWS::NoValue"}}


def scaling(resources: Json, kind: str) -> dict[str, Json]:
    """Return the scaling targets or policies by name."""
    full = f"AWS::ApplicationAutoScaling::{kind}"
    return {n: r["Properties"] for n, r in resources.items() if r["Type"] == full}


def test_a_table_is_paid_by_the_request_unless_asked_otherwise(at_once):
    template = source()
    assert template["Parameters"]["TableCapacity"]["Default"] == "on-demand"
    assert template["Conditions"]["IsProvisioned"] == {
        "Fn::Equals": [{"Ref": "TableCapacity"}, "provisioned"]
    }
    table = chosen(at_once["OrdersTable"]["Properties"], when=set())
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    for each in (table, *table["GlobalSecondaryIndexes"]):
        assert "ProvisionedThroughput" not in each
    conditions = [r.get("Condition") for r in at_once.values() if r["Type"] in SCALING]
    assert set(conditions) == {"IsProvisioned"}


def test_a_provisioned_table_and_its_indexes_begin_with_the_least(at_once):
    table = chosen(at_once["OrdersTable"]["Properties"], when={"IsProvisioned"})
    assert table["BillingMode"] == "PROVISIONED"
    for each in (table, *table["GlobalSecondaryIndexes"]):
        assert each["ProvisionedThroughput"] == {
            units: {"Ref": "TableLeastUnits"} for units in UNITS
        }


def test_reads_and_writes_of_the_table_and_of_every_index_are_scaled_within_the_bounds(at_once):
    """DynamoDB throttles the table's own writes for an index that can't keep up."""
    table = "table/${OrdersTable}"
    indexes = at_once["OrdersTable"]["Properties"]["GlobalSecondaryIndexes"]
    scaled = {(table, "table"), *((f"{table}/index/{i['IndexName']}", "index") for i in indexes)}
    targets = scaling(at_once, "ScalableTarget").values()
    assert sorted((t["ResourceId"]["Fn::Sub"], t["ScalableDimension"]) for t in targets) == sorted(
        (resource, f"dynamodb:{kind}:{units}") for resource, kind in scaled for units in UNITS
    )
    for target in targets:
        assert target["ServiceNamespace"] == "dynamodb"
        assert target["MinCapacity"] == {"Ref": "TableLeastUnits"}
        assert target["MaxCapacity"] == {"Ref": "TableMostUnits"}


def test_every_capacity_follows_what_is_used_of_it_at_70_percent(at_once):
    targets, policies = (scaling(at_once, kind) for kind in ("ScalableTarget", "ScalingPolicy"))
    assert sorted(p["ScalingTargetId"]["Ref"] for p in policies.values()) == sorted(targets)
    for policy in policies.values():
        units = targets[policy["ScalingTargetId"]["Ref"]]["ScalableDimension"].rpartition(":")[2]
        assert policy["PolicyType"] == "TargetTrackingScaling"
        assert policy["TargetTrackingScalingPolicyConfiguration"] == {
            "PredefinedMetricSpecification": {"PredefinedMetricType": UNITS[units]},
            "TargetValue": 70,
        }


# The public address


def test_the_public_address_is_there_only_when_asked_for(at_once):
    made = [n for n, r in at_once.items() if r["Type"].startswith("AWS::CloudFront::")]
    assert set(made) == {"PublicAddressDistribution", "StatusPathFunction"}
    assert {at_once[name]["Condition"] for name in made} == {"HasPublicAddress"}


def test_the_public_address_sends_each_path_to_its_api_and_caches_nothing(at_once):
    config = at_once["PublicAddressDistribution"]["Properties"]["DistributionConfig"]
    default, others = config["DefaultCacheBehavior"], config["CacheBehaviors"]
    assert default["TargetOriginId"] == "http"
    assert "POST" in default["AllowedMethods"]
    assert {each["PathPattern"]: each["TargetOriginId"] for each in others} == {
        "/live": "websocket",
        "/api/orders/status/*": "websocket",
    }
    for behaviour in (default, *others):
        assert behaviour["ViewerProtocolPolicy"] == "https-only"
        assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
        assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert len(at_once["StatusPathFunction"]["Properties"]["FunctionCode"]) < 10_240


def rewritten(resources: Json, uri: str, query: dict[str, str]) -> Json:
    code = resources["StatusPathFunction"]["Properties"]["FunctionCode"]
    event = {
        "version": "1.0",
        "context": {"eventType": "viewer-request", "requestId": "request-1"},
        "viewer": {"ip": "203.0.113.7"},
        "request": {
            "method": "GET",
            "uri": uri,
            "querystring": {name: {"value": value} for name, value in query.items()},
            "headers": {"host": {"value": "example.com"}},
            "cookies": {},
        },
    }
    script = f"{code}\nconsole.log(JSON.stringify(handler({json.dumps(event)})))"
    ran = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    answer: Json = json.loads(ran.stdout)
    return answer


needs_node = pytest.mark.skipif(not shutil.which("node"), reason="no node to run JavaScript with")


@needs_node
@pytest.mark.parametrize("query", [{}, {"ticket": "t"}, {"orderId": "another", "afterSeq": "3"}])
def test_the_edge_turns_the_status_path_into_the_query_as_the_front_door_does(at_once, query):
    path = f"/api/orders/status/{ORDER_ID}"
    request = rewritten(at_once, path, query)
    asked = {name: each["value"] for name, each in request["querystring"].items()}
    assert request["uri"] == "/live"
    assert asked == dict(watching(path, query.items()) or [])


@needs_node
def test_the_edge_leaves_a_percent_sign_as_it_came(at_once):
    request = rewritten(at_once, "/api/orders/status/a%26b", {})
    assert request["querystring"]["orderId"] == {"value": "a%26b"}


@needs_node
@pytest.mark.parametrize("path", ["/api/orders/status/", "/api/orders/status/a/b"])
def test_the_edge_answers_no_order_with_a_problem(at_once, path):
    answer = rewritten(at_once, path, {})
    assert answer["statusCode"] == 404
    assert '"code":"NOT_FOUND"' in answer["body"]
    assert watching(path, {}.items()) is None
