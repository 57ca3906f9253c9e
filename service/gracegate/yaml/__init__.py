"""YAML and JSON text -> nodes with their spans, and the values that Kubernetes reads from them."""

from __future__ import annotations

from gracegate.yaml.embedded import EmbeddedDocument, embedded_document
from gracegate.yaml.lines import LineIndex, NewlineStyle, has_final_newline, newline_style
from gracegate.yaml.lookup import PathStep, lookup_path
from gracegate.yaml.nodes import (
    AliasNode,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    YamlDocument,
    descendants,
    resolve_alias,
)
from gracegate.yaml.parser import YamlError, parse_yaml
from gracegate.yaml.scalars import is_plain_safe
from gracegate.yaml.splitting import DocumentSpan, split_documents
from gracegate.yaml.templates import TEMPLATE_OPENING, is_template
from gracegate.yaml.values import DuplicateKey, duplicate_keys, json_value, key_name
from gracegate.yaml.variables import variables

__all__ = [
    "TEMPLATE_OPENING",
    "AliasNode",
    "DocumentSpan",
    "DuplicateKey",
    "EmbeddedDocument",
    "LineIndex",
    "MappingNode",
    "NewlineStyle",
    "Node",
    "PathStep",
    "ScalarNode",
    "SequenceNode",
    "YamlDocument",
    "YamlError",
    "descendants",
    "duplicate_keys",
    "embedded_document",
    "has_final_newline",
    "is_plain_safe",
    "is_template",
    "json_value",
    "key_name",
    "lookup_path",
    "newline_style",
    "parse_yaml",
    "resolve_alias",
    "split_documents",
    "variables",
]
