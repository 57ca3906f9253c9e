package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

const configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"

// plain is a tree with one kustomization.
var plain = map[string]string{"a/kustomization.yaml": "resources: [x.yaml]\n", "a/x.yaml": configMap}

func treeOf(texts map[string]string) *tree {
	files := newTree()
	for name, text := range texts {
		files.add(name, []byte(text))
	}
	return files
}

// archive is what the host sends.
func archive(t *testing.T, asked request, texts map[string]string) *bytes.Buffer {
	t.Helper()
	encoded, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	var buffer bytes.Buffer
	out := tar.NewWriter(&buffer)
	put := func(name string, content []byte) {
		if err := out.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o600}); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	put("request", encoded)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		put(name, []byte(texts[name]))
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return &buffer
}

func served(t *testing.T, asked request, texts map[string]string) []answer {
	t.Helper()
	var out bytes.Buffer
	if err := serve(archive(t, asked, texts), &out); err != nil {
		t.Fatal(err)
	}
	var answers []answer
	for line := range strings.Lines(out.String()) {
		var got answer
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		answers = append(answers, got)
	}
	return answers
}

// missing is what kustomize says of a resource that is not there.
func missing(directory, name string) string {
	return "accumulating resources: accumulation err='accumulating resources from '" + name + "': open " + directory + "/" + name +
		": file does not exist': must build at directory: not a valid directory: stat " + directory + "/" + name + ": file does not exist"
}

func TestServe(t *testing.T) {
	a := root{Kind: "kustomize", Path: "a"}
	edited := root{Kind: "kustomize", Path: "a", Replaced: map[string]string{"a/x.yaml": configMap + "data: {k: v}\n"}}
	broken := root{Kind: "kustomize", Path: "a", Replaced: map[string]string{"a/kustomization.yaml": "resources: [z]\n"}}
	made := root{Kind: "kustomize", Path: "b/c", Replaced: map[string]string{"b/c/kustomization.yaml": "resources: [../../a]\n"}}
	for name, test := range map[string]struct {
		roots []root
		most  int
		want  []answer
	}{
		"no roots":      {nil, 1000, nil},
		"one root":      {[]root{a}, 1000, []answer{{Text: configMap}}},
		"the same text": {[]root{a, a}, 1000, []answer{{Text: configMap}, {Text: configMap}}},
		"no such root": {
			[]root{{Kind: "kustomize", Path: "b"}, a}, 1000,
			[]answer{{Error: "must build at directory: not a valid directory: stat b: file does not exist"}, {Text: configMap}},
		},
		"no such kind":  {[]root{{Kind: "jsonnet", Path: "a"}}, 1000, []answer{{Error: `unknown kind of root: "jsonnet"`}}},
		"too long":      {[]root{a}, len(configMap) - 1, []answer{{TooLong: true}}},
		"just not long": {[]root{a}, len(configMap), []answer{{Text: configMap}}},
		"replaced for one root": {
			[]root{edited, a}, 1000,
			[]answer{{Text: strings.Replace(configMap, "kind", "data:\n  k: v\nkind", 1)}, {Text: configMap}},
		},
		"replaced by what cannot be built": {
			[]root{broken, a}, 1000,
			[]answer{{Error: missing("a", "z")}, {Text: configMap}},
		},
		"files that are there for one root": {
			[]root{made, {Kind: "kustomize", Path: "b/c"}}, 1000,
			[]answer{{Text: configMap}, {Error: "must build at directory: not a valid directory: stat b/c: file does not exist"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := served(t, request{Roots: test.roots, MaxOutputBytes: test.most}, plain)
			if !slices.Equal(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
		})
	}
}
