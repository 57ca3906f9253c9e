// Package yaml is sigs.k8s.io/yaml with a memory, see memo.sh: what it computed before it does not compute again.
package yaml

import (
	"reflect"
	"sync"
)

const maxBytes = 8 << 20

// conversion is all that a converted text depends on: what the target holds already matters to nobody here.
type conversion struct {
	text   string
	target reflect.Type
	by     uintptr
}

var (
	mutex sync.Mutex
	texts = map[conversion]string{}
	held  int
)

// JSONToYAML converts as JSONToYAML of the library does, each text once.
func JSONToYAML(j []byte) ([]byte, error) {
	return remember(conversion{text: string(j)}, func() ([]byte, error) { return convertJSONToYAML(j) })
}

func yamlToJSONTarget(text []byte, target *reflect.Value, decode func([]byte, interface{}) error) ([]byte, error) {
	convert := func() ([]byte, error) { return convertYAMLToJSON(text, target, decode) }
	key := conversion{text: string(text), by: reflect.ValueOf(decode).Pointer()}
	if target != nil && target.IsValid() {
		key.target = target.Type()
		if target.Kind() == reflect.Pointer && target.Type().Elem().Kind() == reflect.Interface {
			return convert()
		}
	}
	return remember(key, convert)
}

func remember(key conversion, convert func() ([]byte, error)) ([]byte, error) {
	mutex.Lock()
	known, found := texts[key]
	mutex.Unlock()
	if found {
		return []byte(known), nil
	}
	converted, err := convert()
	if err != nil {
		return nil, err
	}
	mutex.Lock()
	defer mutex.Unlock()
	if held += len(key.text) + len(converted); held > maxBytes {
		clear(texts)
		held = 0
	}
	texts[key] = string(converted)
	return converted, nil
}
