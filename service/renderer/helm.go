package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/ignore"
)

// capabilities is what a chart may ask about the cluster: its version, and "group/version" and
// "group/version/Kind" of what it serves.
type capabilities struct {
	KubernetesVersion string   `json:"kubernetes_version"`
	APIVersions       []string `json:"api_versions"`
}

// helm renders a chart as `helm template` does, its templates in the order of their names, without notes and CRDs.
func helm(files *tree, root root, cluster capabilities) (string, error) {
	loaded, err := load(files.below(root.Path))
	if err != nil {
		return "", err
	}
	values, err := merged(root.Values)
	if err != nil {
		return "", err
	}
	known, err := cluster.forHelm()
	if err != nil {
		return "", err
	}
	if err := installable(loaded, known); err != nil {
		return "", err
	}
	if err := chartutil.ProcessDependenciesWithMerge(loaded, values); err != nil {
		return "", err
	}
	release := chartutil.ReleaseOptions{Name: root.Release, Namespace: root.Namespace, Revision: 1, IsInstall: true}
	scope, err := chartutil.ToRenderValues(loaded, values, release, known)
	if err != nil {
		return "", err
	}
	var offline engine.Engine // finds nothing where a template looks objects or host names up
	rendered, err := offline.Render(loaded, scope)
	if err != nil {
		return "", err
	}
	return joined(rendered), nil
}

func (c capabilities) forHelm() (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(c.KubernetesVersion)
	if err != nil {
		return nil, err
	}
	known := chartutil.DefaultCapabilities.Copy()
	known.KubeVersion = *version
	known.APIVersions = c.APIVersions
	return known, nil
}

func load(files map[string][]byte) (*chart.Chart, error) {
	rules := ignore.Empty()
	if text, found := files[ignore.HelmIgnore]; found {
		var err error
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, err
		}
	}
	rules.AddDefaults()
	var kept []*loader.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !ignored(rules, name) {
			kept = append(kept, &loader.BufferedFile{Name: name, Data: bytes.TrimPrefix(files[name], []byte("\ufeff"))})
		}
	}
	return loader.LoadFiles(kept)
}

// ignored tells whether .helmignore names the file or a directory that it is in.
func ignored(rules *ignore.Rules, name string) bool {
	for directory := path.Dir(name); directory != "."; directory = path.Dir(directory) {
		if rules.Ignore(directory, entry{path.Base(directory), fs.ModeDir}) {
			return true
		}
	}
	return rules.Ignore(name, entry{path.Base(name), 0})
}

// entry is a file or a directory to Helm's rules of what to ignore.
type entry struct {
	name string
	mode fs.FileMode
}

func (e entry) Name() string      { return e.name }
func (entry) Size() int64         { return 0 }
func (e entry) Mode() fs.FileMode { return e.mode }
func (entry) ModTime() time.Time  { return time.Time{} }
func (e entry) IsDir() bool       { return e.mode.IsDir() }
func (entry) Sys() any            { return nil }

func merged(texts []string) (map[string]any, error) {
	values := map[string]any{}
	for _, text := range texts {
		above, err := chartutil.ReadValues([]byte(text))
		if err != nil {
			return nil, err
		}
		values = chartutil.MergeTables(above, values)
	}
	return values, nil
}

// installable refuses what the commands of Helm refuse, in their words.
func installable(loaded *chart.Chart, known *chartutil.Capabilities) error {
	if kind := loaded.Metadata.Type; kind != "" && kind != "application" {
		return fmt.Errorf("%s charts are not installable", kind)
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, known.KubeVersion.Version) {
		return fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, known.KubeVersion.Version)
	}
	var missing []string
	for _, dependency := range loaded.Metadata.Dependencies {
		isThere := func(there *chart.Chart) bool { return there.Name() == dependency.Name }
		if !slices.ContainsFunc(loaded.Dependencies(), isThere) {
			missing = append(missing, dependency.Name)
		}
	}
	if missing != nil {
		return errors.New("found in Chart.yaml, but missing in charts/ directory: " + strings.Join(missing, ", "))
	}
	return nil
}

func joined(rendered map[string]string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if path.Base(name) != "NOTES.txt" && strings.TrimSpace(rendered[name]) != "" {
			fmt.Fprintf(&text, "---\n# Source: %s\n%s\n", name, strings.TrimRight(rendered[name], "\n"))
		}
	}
	return text.String()
}
