"""Reads a line of Azure Monitor's logs as a collector does, and insists on the documented shape.

Written from Azure's documents ("Common and service-specific schemas for Azure resource logs", "Azure activity log event schema",
section on storage accounts and event hubs) and from records of the service, without a look at the exporter.
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

GUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
PLAIN_GUID = r"[0-9a-f]{32}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"
UPPER_ID = r"/[^a-z]*"
ACCOUNT = r"/SUBSCRIPTIONS/[^/a-z]+/RESOURCEGROUPS/[^/a-z]+/PROVIDERS/MICROSOFT\.COGNITIVESERVICES/ACCOUNTS/[^/a-z]+"
YEAR_ONE = datetime(1, 1, 1, tzinfo=UTC)

# Name to pattern of a text, or to type; a name that ends with ? may be absent. Nothing else may be there.
SHAPES = {
    "RequestResponse": {
        "Tenant": r"[a-z0-9]+",
        "callerIpAddress?": r"(\d+\.){3}\*{3}|[0-9a-f:]+:\*{3}",
        "category": "RequestResponse",
        "correlationId": GUID,
        "durationMs": int,
        "event": "ShoeboxCallResult",
        "location": r"[a-z0-9]+",
        "operationName": r"[A-Z][A-Za-z]+_[A-Z][A-Za-z]+",
        "properties": str,
        "resourceId": ACCOUNT,
        "resultSignature": r"\d{3}",
        "time": TIME,
    },
    "RequestResponse.properties": {
        "apiName": r"Azure OpenAI API version \S+",
        "requestTime": int,
        "requestLength": int,
        "responseTime": int,
        "responseLength": int,
        "objectId": rf"({GUID})?",
        "streamType?": r"Streaming|Non-Streaming",
        "modelDeploymentName?": r"\S+",
        "modelName?": r"\S+",
        "modelVersion?": r"\S+",
    },
    "Audit": {
        "Tenant": r"[a-z0-9]+",
        "AssetIdentity?": GUID,
        "category": "Audit",
        "operationName": r"ListKey|RegenerateKey",
        "properties": dict,
        "resourceId": ACCOUNT,
        "time": TIME,
    },
    "Audit.properties": {"objectId": rf"({GUID})?"},
    "Administrative": {
        "callerIpAddress?": r"[0-9a-f.:]+",
        "category": "Administrative",
        "correlationId": GUID,
        "durationMs": int,
        "identity": dict,
        "level": r"Information|Warning|Error|Critical",
        "location": "global",
        "operationName": r"MICROSOFT\.[A-Z]+(/[A-Z]+)+",
        "properties": dict,
        "resourceId": UPPER_ID,
        "resultSignature": r"(Succeeded|Failed)\.[A-Z][A-Za-z]+",
        "resultType": r"Success|Failure",
        "time": TIME,
    },
    "Administrative.identity": {"authorization": dict, "claims": dict},
    "Administrative.identity.authorization": {"action": r"Microsoft\.\S+", "evidence?": dict, "scope": r"/\S*"},
    "Administrative.identity.authorization.evidence": {
        "principalId?": PLAIN_GUID,
        "principalType?": r"User|Group|ServicePrincipal",
        "roleAssignmentId": PLAIN_GUID,
        "roleDefinitionId?": PLAIN_GUID,
    },
    "Administrative.properties": {
        "entity": r"/\S*",
        "eventCategory": "Administrative",
        "hierarchy?": rf"{GUID}/{GUID}",
        "message": r"Microsoft\.\S+",
        "responseBody?": str,
        "serviceRequestId": GUID,
        "statusCode": r"[A-Z][A-Za-z]+",
    },
}


@dataclass(frozen=True)
class Record:
    """A line that has the documented shape."""

    category: str
    fields: dict
    # As an object, however it was written.
    properties: dict

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.fields["time"])


def read(line: str) -> Record:
    """The record on a line; any departure from the documented shape is an assertion."""
    fields = json.loads(line)
    category = fields["category"]
    assert category in ("RequestResponse", "Audit", "Administrative"), f"no such category: {category}"
    fits(category, fields)
    properties = fields["properties"]
    if category == "RequestResponse":
        properties = json.loads(properties)
        began, ended = (moment(properties[name]) for name in ("requestTime", "responseTime"))
        assert fields["durationMs"] == int((ended - began) / timedelta(milliseconds=1))
    fits(f"{category}.properties", properties)
    if category == "Administrative":
        told(fields, properties)
    return Record(category, fields, properties)


def told(fields: dict, properties: dict) -> None:
    """What an activity record says in two places, it says alike."""
    identity = fields["identity"]
    fits("Administrative.identity", identity)
    authorization = identity["authorization"]
    fits("Administrative.identity.authorization", authorization)
    if "evidence" in authorization:
        fits("Administrative.identity.authorization.evidence", authorization["evidence"])
    assert all(isinstance(value, str) for value in identity["claims"].values())
    assert fields["operationName"] == authorization["action"].upper() == properties["message"].upper()
    assert fields["resourceId"] == properties["entity"].upper() == authorization["scope"].upper()
    verdict, status = fields["resultSignature"].split(".")
    assert (status, verdict == "Succeeded") == (properties["statusCode"], fields["resultType"] == "Success")
    json.loads(properties.get("responseBody", "{}"))


def fits(name: str, found: dict) -> None:
    shape = SHAPES[name]
    wanted = {member.removesuffix("?") for member in shape}
    assert set(found) <= wanted, f"{name} has no member {set(found) - wanted}"
    for member, form in shape.items():
        if member.endswith("?") and member[:-1] not in found:
            continue
        value = found[member.removesuffix("?")]
        if isinstance(form, str):
            assert isinstance(value, str) and re.fullmatch(form, value), f"{name}.{member} is {value!r}"
        else:
            assert type(value) is form, f"{name}.{member} is {value!r}"


def moment(ticks: int) -> datetime:
    return YEAR_ONE + timedelta(microseconds=ticks // 10)
