"""Template functions for the name, image and labels of a resource."""

from collections.abc import Mapping

import dockcaddy
from dockcaddy import Context, TemplateFunction


@dockcaddy.hook
def dockcaddy_functions() -> Mapping[str, TemplateFunction]:
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
    """The image without tag and digest, with its registry and port."""
    return _parts(context.resource.image)[0]


def image_tag(context: Context) -> str:
    """The image's tag; `latest` if it has none, the digest if it has only that."""
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
    """The value of any label of the resource, whatever its prefix; empty if there is none."""
    return context.resource.labels.get(key, "")


def has_label(context: Context, key: str) -> bool:
    """Whether the resource has the label, even an empty one."""
    return key in context.resource.labels
