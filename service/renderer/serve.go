package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
)

// request is the first entry of the archive.
type request struct {
	Roots          []root       `json:"roots"`
	Capabilities   capabilities `json:"capabilities"`
	MaxOutputBytes int          `json:"max_output_bytes"`
}

// root is a kustomization or a chart to render.
type root struct {
	Kind string `json:"kind"`
	Path string `json:"path"`
	// Replaced files have another text for this root alone, or are there for it alone.
	Replaced map[string]string `json:"replaced"`
	// Values are YAML texts for a chart; later ones win.
	Values    []string `json:"values"`
	Release   string   `json:"release"`
	Namespace string   `json:"namespace"`
	// PostRenderers are texts of kustomizations of which each changes what a chart renders to.
	PostRenderers []string `json:"post_renderers"`
	// Substitution is what Flux does to what a kustomization renders to.
	Substitution *substitution `json:"substitution"`
}

// answer has either a text or an error, which is in the words of kustomize or Helm.
type answer struct {
	Text  string `json:"text"`
	Error string `json:"error,omitempty"`
	// TooLong says that the text has more than MaxOutputBytes and was left out.
	TooLong bool `json:"too_long,omitempty"`
}

func serve(in io.Reader, out io.Writer) error {
	asked, files, err := read(in)
	if err != nil {
		return err
	}
	for _, root := range asked.Roots {
		rand.Seed(1) //nolint:staticcheck // the source that templates draw from is the global one
		if err := write(out, asked.answer(files, root)); err != nil {
			return err
		}
	}
	return nil
}

func read(in io.Reader) (*request, *tree, error) {
	archive := tar.NewReader(in)
	if _, err := archive.Next(); err != nil {
		return nil, nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	var asked request
	if err := json.NewDecoder(archive).Decode(&asked); err != nil {
		return nil, nil, fmt.Errorf("the request cannot be read: %w", err)
	}
	files := newTree()
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return &asked, files, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the tree cannot be read: %w", err)
		}
		if header.Typeflag != tar.TypeReg {
			return nil, nil, fmt.Errorf("%s is not a file", header.Name)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, nil, fmt.Errorf("the tree cannot be read: %w", err)
		}
		files.add(header.Name, content)
	}
}

func (r *request) answer(files *tree, root root) answer {
	text, err := r.render(files, root)
	switch {
	case err != nil:
		return answer{Error: relative(err.Error())}
	case len(text) > r.MaxOutputBytes:
		return answer{TooLong: true}
	default:
		return answer{Text: text}
	}
}

// render turns a panic into an error: kustomize and Helm meet inputs that they were not made for.
func (r *request) render(files *tree, root root) (text string, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			text, err = "", fmt.Errorf("panic: %v", reason)
		}
	}()
	for path, content := range root.Replaced {
		defer files.replace(absolute(path), []byte(content))()
	}
	switch root.Kind {
	case "kustomize":
		return kustomize(files, root, r.Capabilities)
	case "helm":
		return helm(files, root, r.Capabilities)
	default:
		return "", fmt.Errorf("unknown kind of root: %q", root.Kind)
	}
}

func write(out io.Writer, answer answer) error {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(answer); err != nil {
		return err
	}
	_, err := out.Write(line.Bytes())
	return err
}
