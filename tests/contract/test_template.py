"""What template.yaml promises, asserted on what the SAM transform makes of it."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.contract.transform import ROOT, SOURCE, Json, transformed

FUNCTIONS = {
    "ExecuteFunction": "execute",
    "WorkerFunction": "worker",
    "WsConnectFunction": "ws_connect",
    "WsNotifyFunction": "ws_notify",
    "ReconcileFunction": "reconcile",
    "TriggerFunction": "trigger",
    "ConsoleFunction": "console",
    "OperateFunction": "operate",
}
OPENAPI: Json = json.loads((ROOT / "docs/openapi.json").read_text())
DAYS_14 = 14 * 24 * 60 * 60


@pytest.fixture(scope="module")
def source() -> Json:
    template: Json = yaml_parse(SOURCE)
    return template


@pytest.fixture(scope="module")
def resources() -> Json:
    return transformed()


def of_type(resources: Json, kind: str) -> dict[str, Json]:
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == kind
    }


def ref(name: str) -> Json:
    return {"Ref": name}


def arn(name: str) -> Json:
    return {"Fn::GetAtt": [name, "Arn"]}


# Functions


def test_the_functions_run_python_3_13_on_arm64(resources):
    functions = of_type(resources, "AWS::Lambda::Function")
    assert set(functions) == set(FUNCTIONS)
    for function in functions.values():
        assert function["Runtime"] == "python3.13"
        assert function["Architectures"] == ["arm64"]


def test_every_function_has_its_doorway_and_the_common_layer(source, resources):
    solana = {"Fn::If": ["IsSolana", ref(a_layer(resources, "Solana")), ref("AWS::NoValue")]}
    for name, folder in FUNCTIONS.items():
        assert source["Resources"][name]["Properties"]["CodeUri"] == f"functions/{folder}/"
        assert (ROOT / "functions" / folder / "app.py").is_file()
        function = resources[name]["Properties"]
        assert function["Handler"] == "app.lambda_handler"
        extra = [solana] if name == "WorkerFunction" else []
        assert function["Layers"] == [ref(a_layer(resources, "Common")), *extra]


def test_what_speaks_to_solana_is_there_only_where_the_network_is(source, resources):
    assert resources[a_layer(resources, "Solana")]["Condition"] == "IsSolana"
    assert resources["SignPolicy"]["Condition"] == "IsLive"
    assert source["Conditions"]["IsSolana"] == {"Fn::Equals": [ref("Network"), "solana"]}
    live = {"Fn::Equals": [ref("Settlement"), "live"]}
    assert source["Conditions"]["IsLive"] == {"Fn::And": [{"Condition": "IsSolana"}, live]}


def test_the_worker_alone_may_sign_and_with_the_one_key(resources):
    policy = of_type(resources, "AWS::IAM::Policy")["SignPolicy"]
    assert policy["Roles"] == [ref("WorkerRole")]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["kms:Sign", "kms:GetPublicKey"]
    assert statement["Resource"]["Fn::Sub"].endswith(":key/${SignerKeyId}")
    others = {name: each for name, each in resources.items() if name != "SignPolicy"}
    assert "kms:" not in json.dumps(others)
    named = [name for name in FUNCTIONS if "SignerKeyId" in json.dumps(resources[name])]
    assert named == ["WorkerFunction"]


def test_what_trades_with_money_has_bounds(source):
    rule = source["Rules"]["LiveIsBounded"]
    bounded = {json.dumps(each["Assert"]) for each in rule["Assertions"]}
    needs = [("SignerKeyId", "")]
    needs += [(name, "0") for name in ("MinOrderUsd", "MaxOrderUsd", "MaxPriorityFeeLamports")]
    assert bounded == {
        json.dumps({"Fn::Not": [{"Fn::Equals": [ref(name), none]}]}) for name, none in needs
    }
    assert source["Parameters"]["Network"]["Default"] == "simulated"
    assert source["Parameters"]["Settlement"]["Default"] == "paper"


def a_layer(resources: Json, name: str) -> str:
    (found,) = (
        each for each in of_type(resources, "AWS::Lambda::LayerVersion") if each.startswith(name)
    )
    return found


@pytest.mark.parametrize("name", ["Common", "Solana"])
def test_the_layer_is_built_for_what_the_functions_run_on(source, name):
    layer = source["Resources"][f"{name}Layer"]
    assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
    assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]
    content = ROOT / layer["Properties"]["ContentUri"]
    assert f"\nbuild-{name}Layer:\n" in (content / "Makefile").read_text()
    assert (content / "requirements.txt").is_file()
    assert (content / "engine" / "__init__.py").is_file() is (name == "Common")


def test_every_function_logs_json_to_a_group_of_its_own_that_forgets(resources):
    groups = set()
    for name in FUNCTIONS:
        logging = resources[name]["Properties"]["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        groups.add(logging["LogGroup"]["Ref"])
    assert len(groups) == len(FUNCTIONS)


def test_every_log_group_forgets(resources):
    for group in of_type(resources, "AWS::Logs::LogGroup").values():
        assert group["RetentionInDays"] == ref("LogRetentionDays")


def test_the_reconciler_is_done_before_it_starts_again(resources):
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule").values()
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert schedule["Target"]["Arn"] == ref("ReconcileFunctionAliaslive")
    assert resources["ReconcileFunction"]["Properties"]["Timeout"] < 60


# The environment


def variables(resources: Json) -> Iterator[tuple[str, Any]]:
    for function in of_type(resources, "AWS::Lambda::Function").values():
        yield from function["Environment"]["Variables"].items()


def test_the_environment_names_what_the_engine_reads(resources):
    settings = (ROOT / "layers/common/engine/settings.py").read_text()
    read = {name for name in re.findall(r'"([A-Z][A-Z_]+)"', settings) if name[:4] != "AWS_"}
    given = {name for name, _ in variables(resources) if not name.startswith("POWERTOOLS_")}
    assert given == read


def test_whoever_settles_orders_sees_the_same_market(resources):
    worker, reconciler = (
        resources[name]["Properties"]["Environment"]["Variables"]
        for name in ("WorkerFunction", "ReconcileFunction")
    )
    assert worker.pop("SIGNER_ID") == ref("SignerKeyId")
    assert worker == reconciler


def test_the_environment_holds_no_secret(resources):
    for name, value in variables(resources):
        assert not re.search("SECRET|TOKEN|PASSWORD|CREDENTIAL|KEY", name)
        assert isinstance(value, dict) or re.fullmatch(r"[a-z-]{1,20}", value), name


# The order queue and its worker


def test_the_worker_takes_orders_ten_workers_at_a_time(resources):
    mapping = resources["WorkerFunctionOrders"]["Properties"]
    worker = resources["WorkerFunction"]["Properties"]
    assert mapping["EventSourceArn"] == arn("OrderQueue")
    assert mapping["ScalingConfig"]["MaximumConcurrency"] == 10
    assert worker["ReservedConcurrentExecutions"] == 10


def test_an_order_never_waits_for_a_batch_to_fill(source, resources):
    mapping = resources["WorkerFunctionOrders"]["Properties"]
    assert mapping["BatchSize"] == ref("OrdersPerWorker")
    assert source["Parameters"]["OrdersPerWorker"]["MaxValue"] == 10
    assert "MaximumBatchingWindowInSeconds" not in mapping


def test_orders_and_changes_fail_one_by_one_not_all(resources):
    mappings = of_type(resources, "AWS::Lambda::EventSourceMapping")
    starts = mappings.pop("TriggerFunctionStarts")  # which all say the same: tick
    assert "FunctionResponseTypes" not in starts
    assert set(mappings) == {"WorkerFunctionOrders", "WsNotifyFunctionChanges"}
    for mapping in mappings.values():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_stays_hidden_for_six_timeouts_of_its_worker(resources):
    hidden = resources["OrderQueue"]["Properties"]["VisibilityTimeout"]
    assert hidden >= 6 * resources["WorkerFunction"]["Properties"]["Timeout"]


def test_a_message_that_keeps_killing_its_worker_ends_in_the_dead_letter_queue(resources):
    queue = resources["OrderQueue"]["Properties"]
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": arn("DeadLetterQueue"),
        "maxReceiveCount": 10,
    }
    allowed = resources["DeadLetterQueue"]["Properties"]["RedriveAllowPolicy"]
    assert allowed["redrivePermission"] == "byQueue"
    (allowed_arn,) = allowed["sourceQueueArns"]
    assert allowed_arn["Fn::Sub"].rpartition(":sqs:")[2].endswith(queue["QueueName"]["Fn::Sub"])


def test_queues_are_encrypted_and_keep_their_messages_for_two_weeks(resources):
    queues = of_type(resources, "AWS::SQS::Queue")
    assert set(queues) == {"OrderQueue", "DeadLetterQueue", "StreamFailureQueue", "TickQueue"}
    for name, queue in queues.items():
        assert queue["SqsManagedSseEnabled"] is True
        if name != "TickQueue":  # its messages say nothing that is not found again
            assert queue["MessageRetentionPeriod"] == DAYS_14


# The table and its stream


def test_the_table_streams_both_images_and_forgets_by_expires_at(resources):
    table = resources["OrdersTable"]["Properties"]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}


def test_the_table_is_encrypted_restorable_and_never_replaced_silently(resources):
    table = resources["OrdersTable"]
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True}
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True
    }
    assert table["UpdateReplacePolicy"] == "Retain"


def test_the_indexes_are_sparse_because_their_keys_are_not_the_tables(resources):
    table = resources["OrdersTable"]["Properties"]
    keys = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in [{"IndexName": "table", **table}, *table["GlobalSecondaryIndexes"]]
    }
    assert keys == {
        "table": ["pk", "sk"],
        "open-orders": ["open", "placed"],
        "by-account": ["account", "placed"],
        "waits-above": ["aboveIn", "above"],
        "waits-below": ["belowIn", "below"],
        "waits-until": ["lastsIn", "lasts"],
    }
    for index in table["GlobalSecondaryIndexes"]:
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_a_poison_record_blocks_the_stream_for_minutes_at_most(resources):
    mapping = resources["WsNotifyFunctionChanges"]["Properties"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["OrdersTable", "StreamArn"]}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["BisectBatchOnFunctionError"] is True
    assert 0 < mapping["MaximumRetryAttempts"] <= 10
    assert 60 <= mapping["MaximumRecordAgeInSeconds"] <= 300
    assert mapping["ParallelizationFactor"] > 1
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": arn("StreamFailureQueue")}}


@pytest.mark.parametrize(
    ("event", "pk", "sk"),
    [
        ("INSERT", "ORDER#01J9", "ORDER"),
        ("MODIFY", "ORDER#01J9", "ORDER"),
        ("INSERT", "ORDER#01J9", "WATCHERS#anyone"),
        ("MODIFY", "ORDER#01J9", "WATCHERS#anyone"),
        ("INSERT", "ACCOUNT#anyone", "WATCHERS#anyone"),
        ("MODIFY", "KEY#0123", "KEY"),
    ],
)
def test_orders_new_watchers_and_revoked_keys_wake_the_notifier(resources, event, pk, sk):
    assert wakes_the_notifier(resources, stream_record(event, pk, sk))


@pytest.mark.parametrize(
    ("event", "pk", "sk"),
    [
        ("REMOVE", "ORDER#01J9", "ORDER"),
        ("REMOVE", "ORDER#01J9", "WATCHERS#anyone"),
        ("INSERT", "CONN#Zk3sWe0=", "CONN"),
        ("MODIFY", "CONN#Zk3sWe0=", "CONN"),
        ("INSERT", "KEY#0123", "KEY"),
        ("INSERT", "TICKET#0123", "TICKET"),
        ("MODIFY", "CONNECTS#anyone#1", "CONNECTS"),
        ("MODIFY", "RATE#anyone#1", "RATE"),
        ("INSERT", "TX#5VERv8NM", "TX"),
        ("MODIFY", "TX#5VERv8NM", "TX"),
    ],
)
def test_rows_that_nobody_pushes_do_not_wake_the_notifier(resources, event, pk, sk):
    assert not wakes_the_notifier(resources, stream_record(event, pk, sk))


def stream_record(event: str, pk: str, sk: str) -> Json:
    keys = {"pk": {"S": pk}, "sk": {"S": sk}}
    image = "OldImage" if event == "REMOVE" else "NewImage"
    return {
        "eventID": "c4ca4238a0b923820dcc509a6f75849b",
        "eventName": event,
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795337531,
            "Keys": keys,
            image: {**keys, "seq": {"N": "1"}},
            "SequenceNumber": "4421584500000000017450439091",
            "SizeBytes": 26,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def wakes_the_notifier(resources: Json, record: Json) -> bool:
    mapping = resources["WsNotifyFunctionChanges"]["Properties"]
    filters = mapping["FilterCriteria"]["Filters"]
    return any(matches(json.loads(each["Pattern"]), record) for each in filters)


def matches(pattern: Any, value: Any) -> bool:
    """Apply Lambda's filter rules, as far as the template uses them.

    A map wants every key to match, a list any of its entries; `prefix` is the one operator.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            matches(inner, value.get(key)) for key, inner in pattern.items()
        )
    assert isinstance(pattern, list)
    for entry in pattern:
        if isinstance(entry, dict):
            assert set(entry) == {"prefix"}
            if isinstance(value, str) and value.startswith(entry["prefix"]):
                return True
        elif value == entry:
            return True
    return False


# What each function may do


def statements(resources: Json, role: str) -> list[Json]:
    return [
        statement
        for policy in resources[role]["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def actions(statement: Json) -> list[str]:
    action: str | list[str] = statement["Action"]
    return [action] if isinstance(action, str) else action


def role_of(resources: Json, function: str) -> str:
    role: str = resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]
    return role


def roles_that_may(resources: Json, action: str, resource: Json) -> set[str]:
    return {
        role
        for role in of_type(resources, "AWS::IAM::Role")
        for statement in statements(resources, role)
        if action in actions(statement) and statement["Resource"] == resource
        if statement["Effect"] == "Allow"
    }


def test_every_function_has_a_role_of_its_own_without_managed_policies(resources):
    roles = {role_of(resources, function) for function in FUNCTIONS}
    assert len(roles) == len(FUNCTIONS)
    for role in of_type(resources, "AWS::IAM::Role").values():
        assert not role.get("ManagedPolicyArns")


def test_every_wildcard_has_its_reason_and_every_reason_its_wildcard(resources):
    assert set(of_type(resources, "AWS::IAM::Policy")) == {"SignPolicy"}  # which has none
    assert not of_type(resources, "AWS::IAM::ManagedPolicy")
    for role in of_type(resources, "AWS::IAM::Role"):
        reasons = resources[role].get("Metadata", {}).get("Wildcards", {})
        wild = {
            statement.get("Sid", f"a statement of {role} without a Sid")
            for statement in statements(resources, role)
            if "*" in json.dumps([statement["Action"], statement["Resource"]])
        }
        assert wild == set(reasons)
        assert all(len(reason.split()) > 5 for reason in reasons.values())
        assert not any(
            "*" in action for st in statements(resources, role) for action in actions(st)
        )


def test_a_function_writes_only_to_its_own_log(resources):
    for function in FUNCTIONS:
        group = resources[function]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        may_log = [
            statement["Resource"]
            for statement in statements(resources, role_of(resources, function))
            if "logs:PutLogEvents" in actions(statement)
        ]
        assert may_log == [arn(group)]


def test_the_console_may_do_nothing_but_log(resources):
    role = role_of(resources, "ConsoleFunction")
    assert [statement["Sid"] for statement in statements(resources, role)] == ["Log"]


def test_only_the_worker_takes_orders_from_the_queue(resources):
    queue = arn("OrderQueue")
    assert roles_that_may(resources, "sqs:ReceiveMessage", queue) == {"WorkerRole"}
    assert roles_that_may(resources, "sqs:DeleteMessage", queue) == {"WorkerRole"}
    senders = {"ExecuteRole", "ReconcileRole", "TriggerRole", "OperateRole"}
    assert roles_that_may(resources, "sqs:SendMessage", queue) == senders


def test_only_the_ticker_is_started_by_the_messages_that_are_for_it(resources):
    queue = arn("TickQueue")
    assert roles_that_may(resources, "sqs:ReceiveMessage", queue) == {"TriggerRole"}
    properties = resources["TickQueue"]["Properties"]
    function = resources["TriggerFunction"]["Properties"]
    assert properties["VisibilityTimeout"] >= 6 * function["Timeout"]
    mapping = resources["TriggerFunctionStarts"]["Properties"]["ScalingConfig"]
    assert mapping["MaximumConcurrency"] == function["ReservedConcurrentExecutions"] == 2


def test_nobody_may_scan_the_table_and_only_watchers_are_deleted(resources):
    table = arn("OrdersTable")
    assert roles_that_may(resources, "dynamodb:Scan", table) == set()
    deleters = roles_that_may(resources, "dynamodb:DeleteItem", table)
    assert deleters == {"WsConnectRole", "WsNotifyRole"}


def test_acts_trading_state_and_keys_are_nobodys_to_write_but_operators(resources):
    kept = {"AUDIT", "CONFIG#trading", "KEY#*"}
    for function in FUNCTIONS:
        of_role = statements(resources, role_of(resources, function))
        if function == "OperateFunction":
            (act,) = [s for s in of_role if "dynamodb:PutItem" in actions(s)]
            only = act["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"]
            assert set(only) == {"AUDIT", "CONFIG#trading"}
            assert "dynamodb:DeleteItem" not in json.dumps(of_role)
            continue
        if "dynamodb:" not in json.dumps(of_role):
            continue
        (denied,) = [s for s in of_role if s["Effect"] == "Deny"]
        assert set(denied["Condition"]["ForAnyValue:StringLike"]["dynamodb:LeadingKeys"]) == kept
        writes = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}
        assert set(actions(denied)) == writes


# The APIs


def test_pages_call_the_api_only_where_their_origin_is_allowed(resources):
    cors = resources["HttpApi"]["Properties"]["Body"]["x-amazon-apigateway-cors"]
    condition, allowed, otherwise = cors["Fn::If"]
    assert (condition, otherwise) == ("HasAllowedOrigins", {"Ref": "AWS::NoValue"})
    assert allowed["allowOrigins"] == {"Ref": "AllowedOrigins"}
    assert "allowCredentials" not in allowed


def test_a_page_may_send_and_read_what_the_contract_names(resources):
    cors = resources["HttpApi"]["Properties"]["Body"]["x-amazon-apigateway-cors"]["Fn::If"][1]
    operations = [each for path in OPENAPI["paths"].values() for each in path.values()]
    answers = [answer for each in operations for answer in each["responses"].values()]
    told = {name.lower() for answer in answers for name in answer.get("headers", {})}
    assert set(cors["exposeHeaders"]) == told - {"cache-control", "www-authenticate"} | {"allow"}
    assert set(cors["allowMethods"]) == {"GET", "HEAD", "PATCH", "POST"}
    parameters = [each for operation in operations for each in operation.get("parameters", ())]
    asked = {each["name"] for each in parameters if each["in"] == "header"}
    assert set(cors["allowHeaders"]) == asked | {"authorization", "content-type", "x-api-key"}


def test_every_http_request_reaches_the_engine(resources):
    paths = resources["HttpApi"]["Properties"]["Body"]["paths"]
    routes = {f"{method} {path}": call for path in paths for method, call in paths[path].items()}
    answering = {"$default": "Execute", "api/ops/{proxy+}": "Operate"}
    answering |= {"": "Console", "console/{proxy+}": "Console"}
    assert set(routes) == {f"x-amazon-apigateway-any-method /{path}" for path in answering}
    for route, call in routes.items():
        integration = call["x-amazon-apigateway-integration"]
        function = answering[route.partition("/")[2]]
        assert f"${{{function}FunctionAliaslive}}" in integration["uri"]["Fn::Sub"]
        assert integration["payloadFormatVersion"] == "2.0"


def test_every_websocket_route_reaches_the_connector(resources):
    routes = of_type(resources, "AWS::ApiGatewayV2::Route").values()
    keys = {route["RouteKey"] for route in routes}
    assert keys == {"$connect", "$disconnect", "$default", "subscribe", "unsubscribe", "ping"}
    for integration in of_type(resources, "AWS::ApiGatewayV2::Integration").values():
        assert integration["IntegrationUri"]["Fn::Sub"][1] == {
            "FunctionArn": ref("WsConnectFunctionAliaslive")
        }
    api = resources["WebSocketApi"]["Properties"]
    assert api["RouteSelectionExpression"] == "$request.body.action"


def test_both_stages_deploy_themselves_and_throttle(resources):
    stages = of_type(resources, "AWS::ApiGatewayV2::Stage")
    assert {stage["StageName"] for stage in stages.values()} == {"$default", "live"}
    for stage in stages.values():
        assert stage["AutoDeploy"] is True
        assert stage["DefaultRouteSettings"] == {
            "ThrottlingRateLimit": ref("ThrottleRate"),
            "ThrottlingBurstLimit": ref("ThrottleBurst"),
        }


def test_access_logs_are_lines_of_json_that_name_the_request(resources):
    http = resources["HttpApiApiGatewayDefaultStage"]["Properties"]["AccessLogSettings"]
    websocket = resources["WebSocketApiliveStage"]["Properties"]["AccessLogSettings"]
    condition, switched_on, switched_off = websocket["Fn::If"]
    assert condition == "HasWebSocketAccessLogs"
    assert switched_off == ref("AWS::NoValue")
    for settings in (http, switched_on):
        line = json.loads(settings["Format"])
        assert line["requestId"] == "$context.requestId"
        assert "\n" not in settings["Format"]


def test_the_notifier_knows_the_stage_that_it_pushes_to(resources):
    environment = resources["WsNotifyFunction"]["Properties"]["Environment"]["Variables"]
    assert environment["WEBSOCKET_API_ID"] == ref("WebSocketApi")
    assert environment["WEBSOCKET_STAGE"] == "live"
    for role in ("WsNotifyRole", "WsConnectRole"):
        (reached,) = [
            [resource["Fn::Sub"].partition(":${WebSocketApi}/")[2] for resource in some]
            for statement in statements(resources, role)
            if actions(statement) == ["execute-api:ManageConnections"]
            for some in [statement["Resource"]]
        ]
        assert reached == ["live/POST/@connections/*", "live/DELETE/@connections/*"]


# Alarms, parameters, outputs


def test_what_can_go_wrong_unseen_has_an_alarm(resources):
    watched = {
        (alarm["MetricName"], json.dumps(alarm["Dimensions"][0]["Value"]))
        for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values()
        if "Dimensions" in alarm
    }
    assert watched >= {
        ("ApproximateNumberOfMessagesVisible", '{"Fn::GetAtt": ["DeadLetterQueue", "QueueName"]}'),
        (
            "ApproximateNumberOfMessagesVisible",
            '{"Fn::GetAtt": ["StreamFailureQueue", "QueueName"]}',
        ),
        ("ApproximateAgeOfOldestMessage", '{"Fn::GetAtt": ["OrderQueue", "QueueName"]}'),
        ("Errors", '{"Ref": "WorkerFunction"}'),
        ("Throttles", '{"Ref": "WorkerFunction"}'),
        ("IteratorAge", '{"Ref": "WsNotifyFunction"}'),
    }


def test_no_alarm_is_another_by_what_it_left_to_the_anchor(resources):
    alarms = of_type(resources, "AWS::CloudWatch::Alarm").values()
    said = [alarm["AlarmDescription"] for alarm in alarms]
    watched = [
        json.dumps([alarm["Namespace"], alarm["MetricName"], alarm.get("Dimensions")])
        for alarm in alarms
    ]
    assert len(alarms) == len(set(said)) == len(set(watched))
    own = {name: ref("AWS::StackName") for name in ("service", "venue")}
    namespaces = own | {
        "ApiId": "AWS/ApiGateway",
        "FunctionName": "AWS/Lambda",
        "QueueName": "AWS/SQS",
    }
    for alarm in alarms:
        for dimension in alarm.get("Dimensions", []):
            assert alarm["Namespace"] == namespaces[dimension["Name"]]


def test_every_alarm_says_what_happened_and_tells_whoever_asked(resources):
    for alarm in of_type(resources, "AWS::CloudWatch::Alarm").values():
        assert alarm["AlarmDescription"]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert 1 <= alarm["DatapointsToAlarm"] <= alarm["EvaluationPeriods"]
        assert "Average" not in json.dumps(alarm)
    composites = of_type(resources, "AWS::CloudWatch::CompositeAlarm")
    members = {
        name for each in composites.values() for name in of_rule(each["AlarmRule"]["Fn::Sub"])
    }
    for name, alarm in of_type(resources, "AWS::CloudWatch::Alarm").items():
        if alarm["AlarmActions"] == ref("AWS::NoValue"):
            assert name in members
        else:
            assert alarm["AlarmActions"]["Fn::If"][:2] == ["HasAlarmEmail", [ref("AlarmTopic")]]


def of_rule(rule: str) -> set[str]:
    return set(re.findall(r'ALARM\("\$\{(\w+)\}"\)', rule))


def test_what_follows_from_orders_that_do_not_finish_is_not_told_by_itself(resources):
    cause, follows = (resources[f"{n}Alarm"] for n in ("OrdersDoNotFinish", "Consequences"))
    for each in (cause, follows):
        assert each["Condition"] == "HasAlarmEmail"
        assert each["Properties"]["AlarmActions"] == [ref("AlarmTopic")]
        named = of_rule(each["Properties"]["AlarmRule"]["Fn::Sub"])
        assert named <= set(of_type(resources, "AWS::CloudWatch::Alarm"))
    assert follows["Properties"]["ActionsSuppressor"] == arn("OrdersDoNotFinishAlarm")
    assert not of_rule(str(cause)) & of_rule(str(follows))


def test_every_parameter_says_what_it_turns_and_has_a_default(source):
    for name, parameter in source["Parameters"].items():
        assert parameter["Description"].endswith("."), name
        assert "Default" in parameter, name


def test_by_default_the_market_is_as_slow_as_promised_and_fails_nobody_on_purpose(source):
    defaults = {name: each["Default"] for name, each in source["Parameters"].items()}
    assert (defaults["QuoteDelayMinMs"], defaults["QuoteDelayMaxMs"]) == (200, 400)
    assert (defaults["ConfirmDelayMinMs"], defaults["ConfirmDelayMaxMs"]) == (400, 800)
    assert defaults["OrderDeadlineSeconds"] == 120
    assert defaults["SimulatedFaults"] == "off"


def test_the_outputs_say_where_everything_is(source):
    assert set(source["Outputs"]) == {
        "PublicUrl",
        "HttpApiUrl",
        "WebSocketUrl",
        "HttpApiId",
        "WebSocketApiId",
        "TableName",
        "OrderQueueUrl",
        "DeadLetterQueueUrl",
        "StreamFailureQueueUrl",
        "TickQueueUrl",
        "TriggerFunctionName",
        "ConsoleFunctionName",
        "OperateFunctionName",
        "ExecuteFunctionName",
        "WorkerFunctionName",
        "WsConnectFunctionName",
        "WsNotifyFunctionName",
        "ReconcileFunctionName",
    }
    assert source["Outputs"]["WebSocketUrl"]["Value"]["Fn::Sub"].endswith("/live")


def test_neither_template_nor_samconfig_names_an_account():
    for text in (SOURCE, (ROOT / "samconfig.toml").read_text()):
        assert not re.search(r"\b\d{12}\b|AKIA", text)


# samconfig.toml


def test_samconfig_lints_everywhere_and_asks_only_before_prod(source):
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    del config["version"]
    assert set(config) == {"containers", "default", "local", "prod"}
    for name, environment in config.items():
        assert environment["validate"]["parameters"]["lint"] is True
        deploy = environment["deploy"]["parameters"]
        assert deploy["confirm_changeset"] is (name == "prod")
        overrides = dict(each.split("=") for each in deploy["parameter_overrides"])
        assert set(overrides) <= set(source["Parameters"])
        assert overrides["SimulatedFaults"] == ("off" if name == "prod" else "on")
        assert overrides.get("DeletionProtection") == ("on" if name == "prod" else None)
