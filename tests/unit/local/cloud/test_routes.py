"""From the processed template's OpenAPI body to routes."""

from typing import Any

import pytest

from local.cloud.routes import Resolver, Unresolvable, allow_origins, routes_of, wire

ARN = "arn:aws:lambda:us-east-1:000000000000:function:orders-Execute-1"
URI = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{ARN}/invocations"
INTEGRATION = {
    "x-amazon-apigateway-integration": {
        "type": "aws_proxy",
        "uri": {
            "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31"
            "/functions/${Execute.Arn}/invocations"
        },
    }
}


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        {
            "Execute": "orders-Execute-1",
            "AWS::Partition": "aws",
            "AWS::Region": "us-east-1",
            "AWS::AccountId": "000000000000",
        }
    )


class Gateway:
    """The calls of apigatewayv2 that are made here, over two dictionaries."""

    def __init__(self) -> None:
        self.routes: dict[str, dict[str, Any]] = {}
        self.integrations: dict[str, dict[str, Any]] = {}
        self.api: dict[str, Any] = {}
        self.made = 0

    def _new(self) -> str:
        self.made += 1
        return f"id{self.made}"

    def get_routes(self, **_: str) -> Any:
        return {"Items": list(self.routes.values())}

    def get_integrations(self, **_: str) -> Any:
        return {"Items": list(self.integrations.values())}

    def create_integration(self, **given: str) -> Any:
        made = given | {"IntegrationId": self._new()}
        self.integrations[made["IntegrationId"]] = made
        return made

    def create_route(self, **given: str) -> None:
        route = given | {"RouteId": self._new()}
        self.routes[route["RouteId"]] = route

    def delete_route(self, **given: str) -> None:
        del self.routes[given["RouteId"]]

    def get_api(self, **_: str) -> dict[str, Any]:
        return self.api

    def update_api(self, **given: Any) -> None:
        self.api |= {name: value for name, value in given.items() if name != "ApiId"}

    def delete_cors_configuration(self, **_: str) -> None:
        del self.api["CorsConfiguration"]

    def keys(self) -> set[str]:
        return {route["RouteKey"] for route in self.routes.values()}


def test_every_operation_becomes_a_route(resolver):
    body = {
        "paths": {
            "/api/orders/{orderId}": {"get": INTEGRATION, "parameters": {}},
            "/any": {"x-amazon-apigateway-any-method": INTEGRATION},
            "$default": {"x-amazon-apigateway-any-method": INTEGRATION | {"isDefaultRoute": True}},
        }
    }
    assert dict(routes_of(body, resolver)) == {
        "GET /api/orders/{orderId}": URI,
        "ANY /any": URI,
        "$default": URI,
    }


def test_an_authorizer_is_not_silently_left_out(resolver):
    body: dict[str, Any] = {"paths": {"/a": {"get": INTEGRATION | {"security": [{"keys": []}]}}}}
    with pytest.raises(Unresolvable, match="authorizer"):
        list(routes_of(body, resolver))


def test_intrinsic_functions_are_resolved(resolver):
    assert resolver.resolve("plain") == "plain"
    assert resolver.resolve({"Ref": "Execute"}) == "orders-Execute-1"
    assert resolver.resolve({"Fn::GetAtt": ["Execute", "Arn"]}) == ARN
    assert resolver.resolve({"Fn::Join": ["/", ["a", {"Ref": "AWS::Region"}]]}) == "a/us-east-1"
    assert resolver.resolve({"Fn::Sub": "${!Literal} ${Execute}"}) == "${!Literal} orders-Execute-1"


@pytest.mark.parametrize("value", [{"Ref": "Nobody"}, {"Fn::ImportValue": "x"}, 1])
def test_what_can_not_be_resolved_is_said(resolver, value):
    with pytest.raises(Unresolvable):
        resolver.resolve(value)


def test_wiring_again_changes_only_what_changed(resolver):
    gateway = Gateway()
    wire(
        "api",
        {"paths": {"/a": {"get": INTEGRATION}, "/b": {"get": INTEGRATION}}},
        resolver,
        gateway,
    )
    assert gateway.keys() == {"GET /a", "GET /b"}
    assert len(gateway.integrations) == 1
    kept = next(r["RouteId"] for r in gateway.routes.values() if r["RouteKey"] == "GET /a")

    wire(
        "api",
        {"paths": {"/a": {"get": INTEGRATION}, "/c": {"post": INTEGRATION}}},
        resolver,
        gateway,
    )
    assert gateway.keys() == {"GET /a", "POST /c"}
    assert kept in gateway.routes
    assert len(gateway.integrations) == 1


def test_origins_are_allowed_as_the_body_says_and_taken_back(resolver):
    gateway = Gateway()
    asked = {"allowOrigins": {"Ref": "AllowedOrigins"}, "allowMethods": ["GET"], "maxAge": 600}
    body = {"x-amazon-apigateway-cors": {"Fn::If": ["Has", asked, {"Ref": "AWS::NoValue"}]}}
    allow_origins("api", body, "https://a.example,https://b.example", gateway)
    assert gateway.api["CorsConfiguration"] == {
        "AllowOrigins": ["https://a.example", "https://b.example"],
        "AllowMethods": ["GET"],
        "MaxAge": 600,
    }
    for _ in range(2):
        allow_origins("api", body, "", gateway)
        assert gateway.api == {}
