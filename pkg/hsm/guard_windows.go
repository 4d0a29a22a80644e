//go:build cgo

package hsm

func inModule() (leave func()) { return func() {} }
