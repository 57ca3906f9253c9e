package main

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// top is where kustomize sees the tree. It is not "/", because "../x" of the topmost directory would be "/x" again: a
// path that leads out of the tree has to lead to nothing.
const top = "/tree"

// tree is the files of one tree by their absolute paths. For kustomize it is a file system: a build opens files by
// name, and does nothing else.
type tree struct {
	files       map[string][]byte
	directories map[string]bool
	// hasCharts says that some file may be a kustomization that inflates charts.
	hasCharts bool
}

var _ filesys.FileSystem = (*tree)(nil)

func newTree() *tree {
	return &tree{files: map[string][]byte{}, directories: map[string]bool{top: true}}
}

// absolute is where kustomize sees a path of the tree.
func absolute(name string) string { return path.Join(top, path.Join("/", name)) }

// relative takes the top out of a message, so that its paths are those of the tree.
func relative(message string) string { return strings.ReplaceAll(message, top+"/", "") }

func (t *tree) add(name string, content []byte) {
	file := absolute(name)
	t.files[file] = content
	t.hasCharts = t.hasCharts || bytes.Contains(content, []byte("helmCharts"))
	for directory := path.Dir(file); !t.directories[directory]; directory = path.Dir(directory) {
		t.directories[directory] = true
	}
}

// replace gives a file of the tree, or a new one, another content until restore is called.
func (t *tree) replace(file string, content []byte) (restore func()) {
	old, found := t.files[file]
	var made []string
	for directory := path.Dir(file); !t.directories[directory]; directory = path.Dir(directory) {
		t.directories[directory] = true
		made = append(made, directory)
	}
	t.files[file] = content
	return func() {
		if found {
			t.files[file] = old
			return
		}
		delete(t.files, file)
		for _, directory := range made {
			delete(t.directories, directory)
		}
	}
}

// below is the files of a directory, given as kustomize sees it, by their path in it.
func (t *tree) below(directory string) map[string][]byte {
	prefix := directory + "/"
	found := map[string][]byte{}
	for file, content := range t.files {
		if name, ok := strings.CutPrefix(file, prefix); ok {
			found[name] = content
		}
	}
	return found
}

func (t *tree) IsDir(name string) bool { return t.directories[path.Clean(name)] }

func (t *tree) Exists(name string) bool {
	_, found := t.files[path.Clean(name)]
	return found || t.IsDir(name)
}

func (t *tree) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	clean := path.Clean(name)
	if t.IsDir(clean) {
		return filesys.ConfirmedDir(clean), "", nil
	}
	if t.Exists(clean) {
		return filesys.ConfirmedDir(path.Dir(clean)), path.Base(clean), nil
	}
	return "", "", &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
}

// ReadFile gives a copy, because the next root reads the same content.
func (t *tree) ReadFile(name string) ([]byte, error) {
	if content, found := t.files[path.Clean(name)]; found {
		return slices.Clone(content), nil
	}
	if t.IsDir(name) {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a directory")}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (*tree) Create(string) (filesys.File, error)  { return nil, errors.ErrUnsupported }
func (*tree) Glob(string) ([]string, error)        { return nil, errors.ErrUnsupported }
func (*tree) Mkdir(string) error                   { return errors.ErrUnsupported }
func (*tree) MkdirAll(string) error                { return errors.ErrUnsupported }
func (*tree) Open(string) (filesys.File, error)    { return nil, errors.ErrUnsupported }
func (*tree) ReadDir(string) ([]string, error)     { return nil, errors.ErrUnsupported }
func (*tree) RemoveAll(string) error               { return errors.ErrUnsupported }
func (*tree) Walk(string, filepath.WalkFunc) error { return errors.ErrUnsupported }
func (*tree) WriteFile(string, []byte) error       { return errors.ErrUnsupported }
