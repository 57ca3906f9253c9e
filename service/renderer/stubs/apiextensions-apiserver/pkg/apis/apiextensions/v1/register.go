// Package v1 adds no kinds, see the scheme of client-go beside it.
package v1

import "k8s.io/apimachinery/pkg/runtime"

// AddToScheme does nothing.
func AddToScheme(*runtime.Scheme) error { return nil }
