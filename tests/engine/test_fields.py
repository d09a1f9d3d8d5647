"""What templates see of a container: the fields and types of Docker's Go client."""

import pytest
from dockcaddy import gotemplate
from dockcaddy.engine.records.gotypes import CONTAINER, SERVICE
from dockcaddy.gotemplate import FunctionTable, Value, pointer_to


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{printf "%T" .Ports}}', "[]container.PortSummary"),
        ("{{.ImageManifestDescriptor}}", "<nil>"),
        ("{{with .Health}}{{.Status}}{{else}}none{{end}}", "none"),
    ],
)
def test_a_container_has_the_fields_of_docker_s_go_client(template: str, text: str) -> None:
    record = Value(pointer_to(CONTAINER), {"Id": "c1", "Ports": []})
    assert gotemplate.compile(template, FunctionTable({})).execute(record) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{.Spec.Name}} {{.Spec.Annotations.Name}} {{.Spec.Annotations.Labels.tier}}", "web web front"),
        ("{{.Version.Index}} {{.Meta.Version.Index}}", "12 12"),
        ("{{.Spec.TaskTemplate.Placement.Constraints}}", "[node.role == worker]"),
        ("{{.Spec.TaskTemplate.ContainerSpec.Init}}", "false"),
        ("{{.ServiceStatus}} {{.JobStatus}}", "<nil> <nil>"),
        (
            '{{range $name, $value := .Spec.Labels}}{{$name}}={{$value}}{{end}}{{printf "%T" .Meta}}',
            "tier=frontswarm.Meta",
        ),
    ],
)
def test_a_service_has_the_fields_of_docker_s_go_client(template: str, text: str) -> None:
    task = {"Placement": {"Constraints": ["node.role == worker"]}, "ContainerSpec": {"Init": False}}
    spec = {"Name": "web", "Labels": {"tier": "front"}, "TaskTemplate": task}
    record = Value(pointer_to(SERVICE), {"ID": "s1", "Version": {"Index": 12}, "Spec": spec})
    assert gotemplate.compile(template, FunctionTable({})).execute(record) == text
