"""How the settings file is read: plain YAML values, each name once."""

from __future__ import annotations

from typing import Any

import yaml


class EachOnce(yaml.SafeLoader):
    """YAML in which a name that stands twice is an error: which of two modes would be meant?"""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping. Raises MarkedYAMLError."""
        seen: set[object] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value} stands there twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)
