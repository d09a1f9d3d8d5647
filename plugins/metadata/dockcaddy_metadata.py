"""What a resource is called and made of."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Context


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, object]:
    """The functions of this plugin."""
    return {
        "containerName": container_name,
        "imageName": image_name,
        "imageTag": image_tag,
        "label": label,
        "hasLabel": has_label,
    }


def container_name(context: Context) -> str:
    """The name of the container or service, without Docker's leading slash."""
    return context.resource.name


def image_name(context: Context) -> str:
    """The image as written, without tag or digest; registry and port are kept."""
    return _parts(context.resource.image)[0]


def image_tag(context: Context) -> str:
    """The image's tag; `latest` where none is written, the digest where there is only that."""
    _, tag, digest = _parts(context.resource.image)
    return tag or digest or ("latest" if context.resource.image else "")


def _parts(image: str) -> tuple[str, str, str]:
    """Name, tag and digest of `registry:5000/name:tag@sha256:...`."""
    if image.startswith("sha256:"):
        return "", "", image
    written, _, digest = image.partition("@")
    folder, slash, last = written.rpartition("/")
    name, _, tag = last.partition(":")
    return folder + slash + name, tag, digest


def label(context: Context, key: str) -> str:
    """Any label of the resource, of other prefixes too; empty where there is none."""
    return context.resource.labels.get(key, "")


def has_label(context: Context, key: str) -> bool:
    """Whether the resource has the label, even an empty one."""
    return key in context.resource.labels
