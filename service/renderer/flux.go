package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/fluxcd/pkg/envsubst"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/yaml"
)

// substitution is what Flux puts in the place of ${name} after a build.
type substitution struct {
	Variables map[string]string `json:"variables"`
	// IsComplete says that any other variable is empty; else nobody knows it, and it stays.
	IsComplete bool `json:"is_complete"`
}

const substituteKey = "kustomize.toolkit.fluxcd.io/substitute"

var variableName = regexp.MustCompile("^[_[:alpha:]][_[:alpha:][:digit:]]*$")

// substitute changes the objects as Flux does.
func (s *substitution) substitute(objects resmap.ResMap) error {
	for name := range s.Variables {
		if !variableName.MatchString(name) {
			return fmt.Errorf("'%s' var name is invalid, must match '%s'", name, variableName)
		}
	}
	for _, object := range objects.Resources() {
		if isDisabled(object) {
			continue
		}
		text, err := object.AsYAML()
		if err != nil {
			return err
		}
		replaced, err := envsubst.Eval(string(text), s.value)
		if err != nil {
			return fmt.Errorf("variable substitution failed for %s: %w", object.CurId(), err)
		}
		content, err := yaml.YAMLToJSON([]byte(replaced))
		if err != nil {
			return fmt.Errorf("variable substitution failed for %s: %w", object.CurId(), err)
		}
		if err := object.UnmarshalJSON(content); err != nil {
			return err
		}
	}
	return nil
}

func (s *substitution) value(name string) (string, bool) {
	value, found := s.Variables[name]
	if !found && !s.IsComplete {
		return "${" + name + "}", true
	}
	return strings.ReplaceAll(value, "\n", ""), true
}

func isDisabled(object *resource.Resource) bool {
	return object.GetLabels()[substituteKey] == "disabled" || object.GetAnnotations()[substituteKey] == "disabled"
}
