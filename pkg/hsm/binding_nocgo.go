//go:build !cgo

package hsm

// built: the binding needs a C compiler.
const built = false

func load(moduleFile) (module, error) { return nil, ErrNotBuilt }
