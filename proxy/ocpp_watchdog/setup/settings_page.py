"""docs/settings.md, written from the settings themselves: ``make docs`` (a test holds the file to it)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ocpp_watchdog.setting_kinds import JournalUrl
from ocpp_watchdog.settings import ENV_PREFIX, USUAL_FILES, ChargePoint, Settings

HEAD = f"""# Settings

None are needed. They are read from one YAML file ({", ".join(f"`{path}`" for path in USUAL_FILES)}, or the one named by
`--config` or `{ENV_PREFIX}CONFIG`), over it from the environment, over that from flags:
`admin.listen` is `admin: {{listen: ...}}` in the file, `{ENV_PREFIX}ADMIN__LISTEN` in the environment, `--admin.listen`
as a flag. [`deploy/ocpp-watchdog.yaml`](../deploy/ocpp-watchdog.yaml) holds them all with a comment each.
`ocpp-watchdog check-config` shows what is in effect and where it comes from. `make docs` writes this page.
"""
OF_ONE = """
## Of one charge point

Below `charge_points.<id>` (an id in quotes). What is left out is taken from above.
"""


def document() -> str:
    """The whole page."""
    parts = [HEAD, *_table(Settings, "", skip=frozenset({"config"})), OF_ONE, *_table(ChargePoint, "")]
    return "\n".join(parts) + "\n"


def _table(section: type[BaseModel], prefix: str, skip: frozenset[str] = frozenset()) -> Iterator[str]:
    yield "| setting | default | |"
    yield "|---|---|---|"
    for name, default, words in _rows(section, prefix):
        if name not in skip:
            yield f"| `{name}` | {f'`{default}`' if default else ''} | {words} |"


def _rows(section: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in section.model_fields.items():
        below = _section_of(field)
        if below is not None and name != "charge_points":
            yield from _rows(below, f"{prefix}{name}.")
        else:
            yield prefix + name, _default(field), _words(field)


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (field.annotation, *get_args(field.annotation))
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, JournalUrl):
        return value.shown
    if value is None or value is PydanticUndefined or isinstance(value, SecretStr):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | frozenset):
        return ", ".join(str(each) for each in value)
    if isinstance(value, dict):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _words(field: FieldInfo) -> str:
    return (field.description or "its own, in place of the one above").replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), "utf-8")
