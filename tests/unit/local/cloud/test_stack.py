"""The bundle: the template with its code named by S3 key."""

import json
from pathlib import Path

from local.cloud.embedded import ROOT
from local.cloud.stack import BUCKET, Stack, bundle

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/common/}
  Table: {Type: "AWS::DynamoDB::Table"}
  WorkerFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/worker/
      Role: !GetAtt WorkerRole.Arn
"""


def test_a_bundle_names_code_by_what_is_in_it(tmp_path: Path):
    (tmp_path / "functions/worker").mkdir(parents=True)
    (tmp_path / "functions/worker/app.py").write_text("")
    (tmp_path / "layers/common/engine").mkdir(parents=True)
    (tmp_path / "layers/common/engine/__init__.py").write_text("")
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    packed = bundle(tmp_path / "template.yaml")

    resources = json.loads(packed.template)["Resources"]
    code = resources["WorkerFunction"]["Properties"]["CodeUri"]
    layer = resources["Layer"]["Properties"]["ContentUri"]
    assert code["Bucket"] == layer["Bucket"] == BUCKET
    assert {code["Key"], layer["Key"]} == set(packed.objects)
    assert packed.functions == {"worker": "WorkerFunction"}
    assert resources["WorkerFunction"]["Properties"]["Role"] == {
        "Fn::GetAtt": ["WorkerRole", "Arn"]
    }

    (tmp_path / "functions/worker/app.py").write_text("changed = True")
    changed = bundle(tmp_path / "template.yaml")
    assert layer["Key"] in changed.objects
    assert code["Key"] not in changed.objects


def test_the_real_template_makes_a_bundle_of_all_functions():
    packed = bundle(ROOT / "template.yaml")
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(packed.functions) == folders
    assert len(packed.template) < 1_000_000  # what CloudFormation takes from S3


def test_a_stack_knows_its_table_and_queues():
    outputs = {"TableName": "t", "OrderQueueUrl": "q", "DeadLetterQueueUrl": "d"}
    stack = Stack("orders", "http://h", "ws://w", {}, outputs)
    assert (stack.table, stack.order_queue, stack.dead_letter_queue) == ("t", "q", "d")
