package yaml

import (
	"encoding/binary"
	"sync"
)

// Package yaml of kyaml with a memory, see memo.sh. A JSON patch makes JSON of an object and an object of JSON again;
// several overlays do the same to the objects of one base.

const maxBytes = 4 << 20

var (
	mutex sync.Mutex
	jsons = map[string]string{}
	nodes = map[string]*Node{}
	held  int
)

// MarshalJSON gives what MarshalJSON of the library does, for each object once.
func (rn *RNode) MarshalJSON() ([]byte, error) {
	key, ok := appendNode(nil, rn.YNode())
	if !ok {
		return rn.encodeJSON()
	}
	mutex.Lock()
	known, found := jsons[string(key)]
	mutex.Unlock()
	if found {
		return []byte(known), nil
	}
	encoded, err := rn.encodeJSON()
	if err == nil {
		hold(len(key)+len(encoded), func() { jsons[string(key)] = string(encoded) })
	}
	return encoded, err
}

// UnmarshalJSON does what UnmarshalJSON of the library does, for each text once.
func (rn *RNode) UnmarshalJSON(b []byte) error {
	mutex.Lock()
	known := nodes[string(b)]
	mutex.Unlock()
	if known != nil {
		rn.value = CopyYNode(known)
		return nil
	}
	if err := rn.decodeJSON(b); err != nil {
		return err
	}
	hold(4*len(b), func() { nodes[string(b)] = CopyYNode(rn.value) })
	return nil
}

func hold(size int, keep func()) {
	mutex.Lock()
	defer mutex.Unlock()
	if held += size; held > maxBytes {
		clear(jsons)
		clear(nodes)
		held = size
	}
	keep()
}

// appendNode adds all that the JSON of a node depends on; not ok for what depends on other nodes.
func appendNode(key []byte, node *Node) ([]byte, bool) {
	if node == nil || node.Alias != nil {
		return nil, false
	}
	key = binary.AppendUvarint(key, uint64(node.Kind))
	key = binary.AppendUvarint(key, uint64(node.Style))
	for _, text := range []string{node.Tag, node.Value, node.Anchor, node.HeadComment, node.LineComment, node.FootComment} {
		key = binary.AppendUvarint(key, uint64(len(text)))
		key = append(key, text...)
	}
	key = binary.AppendUvarint(key, uint64(len(node.Content)))
	for _, child := range node.Content {
		var ok bool
		if key, ok = appendNode(key, child); !ok {
			return nil, false
		}
	}
	return key, true
}
