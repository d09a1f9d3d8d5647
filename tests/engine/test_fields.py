"""What templates see of a container: the fields and types of Docker's Go client."""

import pytest
from dockcaddy import gotemplate
from dockcaddy.engine.records.gotypes import CONTAINER
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
