// Package rest names what a connection to a cluster would need; the renderer has none.
package rest

// Config is never filled.
type Config struct{}
