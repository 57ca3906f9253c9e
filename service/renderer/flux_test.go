package main

import (
	"strings"
	"testing"
)

func TestSubstitution(t *testing.T) {
	object := func(value, metadata string) string {
		return "apiVersion: v1\ndata:\n  a: " + value + "\nkind: ConfigMap\nmetadata:\n" + metadata + "  name: a\n"
	}
	known := map[string]string{"A": "1", "B": "two\n"}
	for name, test := range map[string]struct {
		written  string
		metadata string
		complete bool
		want     string
		err      string
	}{
		"a variable":              {"x-${A}", "", true, "x-1", ""},
		"a number":                {"${A}", "", true, "1", ""},
		"without its line breaks": {"${B}", "", true, "two", ""},
		"a default":               {"x-${C:=3}", "", true, "x-3", ""},
		"another form of default": {"x-${C:-3}", "", true, "x-3", ""},
		"an unknown one is empty": {"x-${C}", "", true, "x-", ""},
		"an unknown one stays":    {"x-${C}", "", false, "x-${C}", ""},
		"an unknown one stays unknown, whatever its default is": {"x-${C:=3}", "", false, "x-${C}", ""},
		"no variable":             {"x-$A", "", true, "x-$A", ""},
		"an escaped one":          {"x-$${A}", "", true, "x-${A}", ""},
		"switched off":            {"x-${A}", "  annotations:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n", true, "x-${A}", ""},
		"switched off by a label": {"x-${A}", "  labels:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\n", true, "x-${A}", ""},
		"no end":                  {"x-${A", "", true, "", "variable substitution failed for ConfigMap.v1.[noGrp]/a.[noNs]"},
	} {
		t.Run(name, func(t *testing.T) {
			files := treeOf(map[string]string{"prod/kustomization.yaml": "resources: [a.yaml]\n", "prod/a.yaml": object(test.written, test.metadata)})
			got, err := kustomize(files, root{Path: "prod", Substitution: &substitution{known, test.complete}}, cluster)
			want := ""
			if test.err == "" {
				want = object(test.want, test.metadata)
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("got the error %v, want %q", err, test.err)
			}
		})
	}
}

func TestSubstitutionRefusesNames(t *testing.T) {
	_, err := kustomize(treeOf(plain), root{Path: "a", Substitution: &substitution{Variables: map[string]string{"a-b": ""}}}, cluster)
	if err == nil || err.Error() != "'a-b' var name is invalid, must match '^[_[:alpha:]][_[:alpha:][:digit:]]*$'" {
		t.Errorf("got the error %v", err)
	}
}
