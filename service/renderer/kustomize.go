package main

import (
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/openapi"
)

var builtinSchema = openapi.GetSchemaVersion()

// kustomize builds a kustomization as a process of its own would.
//
// A schema that a kustomization names with `openapi` stays in force for the whole process, beside the built-in one if
// that was in use before. So such a root is built again in a clean state, and leaves none behind. All others share the
// built-in schema, because to read it costs more than most builds.
func kustomize(files *tree, root root, cluster capabilities) (string, error) {
	restore, err := inflate(files, root.Path, cluster)
	defer restore()
	if err != nil {
		return "", err
	}
	defer forgetSchema()
	text, err := build(files, root)
	if openapi.GetSchemaVersion() == builtinSchema {
		return text, err
	}
	forgetSchema()
	return build(files, root)
}

func forgetSchema() {
	if openapi.GetSchemaVersion() != builtinSchema {
		openapi.ResetOpenAPI()
	}
}

// build is `kustomize build --load-restrictor LoadRestrictionsNone` without plugins and without Helm: what restricts
// the files is the tree.
func build(files *tree, root root) (string, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified
	options.LoadRestrictions = types.LoadRestrictionsNone
	options.PluginConfig = types.DisabledPluginConfig()
	objects, err := krusty.MakeKustomizer(options).Run(files, absolute(root.Path))
	if err != nil {
		return "", err
	}
	if root.Substitution != nil {
		if err := root.Substitution.substitute(objects); err != nil {
			return "", err
		}
	}
	text, err := objects.AsYaml()
	return string(text), err
}
