"""What `make policies` makes of a folder of rules: catalogue, Wasm, pages."""
