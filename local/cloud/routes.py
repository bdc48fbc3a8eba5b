"""Give an HTTP API what its OpenAPI body says, which MiniStack does not read by itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_INTEGRATION = "x-amazon-apigateway-integration"
_CORS = "x-amazon-apigateway-cors"
_ANY = "x-amazon-apigateway-any-method"
_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class Unresolvable(Exception):
    """The template says something that only CloudFormation itself can resolve."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves a template's intrinsic functions after the fact.

    `names` holds physical ids by logical id, and the values of pseudo parameters and parameters.
    """

    names: Mapping[str, str]

    def resolve(self, value: Any) -> str:
        """Return what an intrinsic function stands for. Raises Unresolvable."""
        match value:
            case str():
                return value
            case {"Ref": str(name)}:
                return self._name(name)
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return self._arn(name)
            case {"Fn::Sub": str(text)}:
                return _VARIABLE.sub(lambda found: self._variable(found[1]), text)
            case {"Fn::Join": [str(glue), list(parts)]}:
                return glue.join(self.resolve(part) for part in parts)
        raise Unresolvable(f"{value!r}")

    def _variable(self, text: str) -> str:
        name, dot, attribute = text.partition(".")
        if not dot:
            return self._name(name)
        return self.resolve({"Fn::GetAtt": [name, attribute]})

    def _name(self, name: str) -> str:
        try:
            return self.names[name]
        except KeyError:
            raise Unresolvable(name) from None

    def _arn(self, function: str) -> str:
        region, account = self._name("AWS::Region"), self._name("AWS::AccountId")
        return f"arn:aws:lambda:{region}:{account}:function:{self._name(function)}"


def routes_of(body: Mapping[str, Any], resolver: Resolver) -> Iterator[tuple[str, str]]:
    """Yield each route key of an OpenAPI body, and the URI of what answers it.

    Raises Unresolvable for what is not wired here, rather than leave out an authorizer.
    """
    for path, operations in body.get("paths", {}).items():
        for method, operation in operations.items():
            if _INTEGRATION not in operation:
                continue
            if operation.get("security"):
                raise Unresolvable(f"the authorizer of {method} {path}")
            uri = resolver.resolve(operation[_INTEGRATION]["uri"])
            verb = "ANY" if method == _ANY else method.upper()
            yield "$default" if operation.get("isDefaultRoute") else f"{verb} {path}", uri


def wire(api_id: str, body: Mapping[str, Any], resolver: Resolver, gateway: Any) -> None:
    """Make the integrations and routes that `body` asks for; `gateway` is an apigatewayv2 client.

    Doing it again changes what changed: an update of the stack needs no other call.
    """
    wanted = dict(routes_of(body, resolver))
    present = gateway.get_routes(ApiId=api_id, MaxResults="1000")["Items"]
    integrations = {
        item["IntegrationUri"]: item["IntegrationId"]
        for item in gateway.get_integrations(ApiId=api_id, MaxResults="1000")["Items"]
    }
    for uri in sorted(set(wanted.values()) - integrations.keys()):
        made = gateway.create_integration(
            ApiId=api_id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=uri,
            PayloadFormatVersion="2.0",
        )
        integrations[uri] = made["IntegrationId"]
    targets = {key: f"integrations/{integrations[uri]}" for key, uri in wanted.items()}
    kept = set()
    for route in present:
        if targets.get(route["RouteKey"]) == route.get("Target"):
            kept.add(route["RouteKey"])
        else:
            gateway.delete_route(ApiId=api_id, RouteId=route["RouteId"])
    for key in sorted(targets.keys() - kept):
        gateway.create_route(ApiId=api_id, RouteKey=key, Target=targets[key])


def allow_origins(api_id: str, body: Mapping[str, Any], origins: str, gateway: Any) -> None:
    """Let pages of `origins`, separated by commas, call an API in the way that `body` says."""
    if origins and _CORS in body:
        _, asked, _ = body[_CORS]["Fn::If"]  # the condition is that there are any
        settings = {name[0].upper() + name[1:]: value for name, value in asked.items()}
        settings["AllowOrigins"] = origins.split(",")
        gateway.update_api(ApiId=api_id, CorsConfiguration=settings)
    elif "CorsConfiguration" in gateway.get_api(ApiId=api_id):
        gateway.delete_cors_configuration(ApiId=api_id)
