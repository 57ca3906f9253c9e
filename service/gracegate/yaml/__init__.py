"""YAML and JSON text to nodes that know their place, and to the values that Kubernetes reads in them."""

from __future__ import annotations

from gracegate.yaml.errors import YamlError
from gracegate.yaml.lines import LineIndex, NewlineStyle, has_final_newline, newline_style
from gracegate.yaml.lookup import PathStep, alias_targets, descendants, holds_anchor, is_shared, lookup_path
from gracegate.yaml.nodes import AliasNode, MappingNode, Node, ScalarNode, SequenceNode, YamlDocument, target
from gracegate.yaml.parser import parse_yaml
from gracegate.yaml.scalars import is_plain_safe
from gracegate.yaml.splitting import Chunk, split_documents
from gracegate.yaml.templates import TEMPLATE_OPENING, is_template
from gracegate.yaml.values import DuplicateKey, duplicate_keys, json_value, key_name

__all__ = [
    "TEMPLATE_OPENING",
    "AliasNode",
    "Chunk",
    "DuplicateKey",
    "LineIndex",
    "MappingNode",
    "NewlineStyle",
    "Node",
    "PathStep",
    "ScalarNode",
    "SequenceNode",
    "YamlDocument",
    "YamlError",
    "alias_targets",
    "descendants",
    "duplicate_keys",
    "has_final_newline",
    "holds_anchor",
    "is_plain_safe",
    "is_shared",
    "is_template",
    "json_value",
    "key_name",
    "lookup_path",
    "newline_style",
    "parse_yaml",
    "split_documents",
    "target",
]
