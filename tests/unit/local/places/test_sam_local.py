"""What `sam local` is given, and what is said where it can't run."""

import json
import socket
import threading
from pathlib import Path

import pytest

from local.__main__ import parser
from local.cloud.embedded import ROOT
from local.places import sam_local
from local.places.bridge import address_of

BUILT = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Architectures: [arm64]
    Environment: {Variables: {TABLE_NAME: !Ref Table}}
Resources:
  Layer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: makefile, BuildArchitecture: arm64}
    Properties: {ContentUri: Layer, CompatibleArchitectures: [arm64]}
  WorkerFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: WorkerFunction}
  Table: {Type: "AWS::DynamoDB::Table"}
"""


def test_the_template_is_for_this_machine_and_declares_the_endpoint(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("local.places.sam.machine", lambda: "x86_64")
    (tmp_path / "template.yaml").write_text(BUILT)
    made = json.loads(sam_local.template(tmp_path / "template.yaml"))
    assert "arm64" not in json.dumps(made)
    assert made["Globals"]["Function"]["Environment"]["Variables"] == {
        "TABLE_NAME": {"Ref": "Table"},
        "AWS_ENDPOINT_URL": "",
    }
    resources = made["Resources"]
    assert resources["WorkerFunction"]["Properties"]["CodeUri"] == str(tmp_path / "WorkerFunction")
    assert resources["Layer"]["Properties"]["ContentUri"] == str(tmp_path / "Layer")


def a_docker(directory: Path, script: str) -> str:
    docker = directory / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    return str(directory)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 1", "no Docker engine"),
        ('test "$1" = version', "no image public.ecr.aws/lambda/python:3.13-x86_64"),
    ],
)
def test_without_engine_or_image_it_is_skipped_in_one_clear_line(
    script, reason, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr("local.places.sam.machine", lambda: "x86_64")
    monkeypatch.setenv("PATH", a_docker(tmp_path, script))
    asked = parser().parse_args(["sam-local"])
    assert asked.do(asked) is None
    assert capsys.readouterr().out == f"skipped: {reason}\n"


def test_without_docker_at_all_it_is_skipped_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(sam_local.Skipped, match="no Docker engine"):
        sam_local.image()


def test_every_event_is_for_a_function_and_every_function_has_one():
    names = {path.stem.partition("_")[0] for path in (ROOT / "events").glob("*.json")}
    assert names == set(sam_local.FUNCTIONS)


@pytest.mark.parametrize(
    ("configuration", "address"),
    [
        ('[{"Subnet":"172.17.0.0/16","Gateway":"172.17.0.1"}]', "172.17.0.1"),
        ('[{"Subnet":"172.18.0.0/16"}]', "172.18.0.1"),
        ("null", None),
    ],
)
def test_the_bridges_own_address_is_found_also_where_only_its_network_is_named(
    configuration, address
):
    assert address_of(configuration) == address


def test_the_bridge_carries_both_ways_until_both_sides_are_done():
    from local.places.bridge import _pass_on

    outer, its_side = socket.socketpair()
    inner, server = socket.socketpair()
    with outer, its_side, inner, server:
        there = threading.Thread(target=_pass_on, args=(its_side, inner))
        there.start()
        outer.sendall(b"question")
        outer.shutdown(socket.SHUT_WR)
        there.join(5)
        assert server.recv(100) == b"question"
        assert server.recv(100) == b""
        server.sendall(b"answer")
        server.shutdown(socket.SHUT_WR)
        _pass_on(inner, its_side)
        assert outer.recv(100) == b"answer"
