package hsm

import (
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPreflightGivesTheReason(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	foreign := []byte(readFile(t, libc(t)))
	foreign[18], foreign[19] = byte(elf.EM_SPARC), 0 // e_machine
	for name, c := range map[string]struct{ path, want string }{
		"bare name":     {"libsofthsm2.so", "not absolute"},
		"missing":       {filepath.Join(dir, "missing.so"), "no such file"},
		"directory":     {dir, "not a regular file"},
		"device":        {"/dev/null", "not a regular file"},
		"text":          {write("text.so", "#!/bin/sh\n"), "not a shared library"},
		"empty":         {write("empty.so", ""), "not a shared library"},
		"broken ELF":    {write("broken.so", string(foreign[:40])), "not a shared library"},
		"other machine": {write("foreign.so", string(foreign)), "built for ELFCLASS64 EM_SPARC"},
		"libc":          {libc(t), "not a PKCS#11 module: it does not export C_GetFunctionList"},
		"a program":     {self, "not a"},
	} {
		_, err := preflight(c.path)
		refusedWith(t, err, c.want, "")
		if err != nil && !strings.Contains(err.Error(), filepath.Base(c.path)) {
			t.Errorf("%s: the file is not named: %v", name, err)
		}
	}
}

func TestModuleIsNamedOnce(t *testing.T) {
	for _, c := range []struct {
		config     Config
		want, text string
	}{
		{Config{Module: "/m.so"}, "/m.so", ""},
		{Config{URI: URI{ModulePath: "/m.so"}}, "/m.so", ""},
		{Config{Module: "/m.so", URI: URI{ModulePath: "/m.so"}}, "/m.so", ""},
		{Config{Module: "/m.so", URI: URI{ModulePath: "/n.so"}}, "", "another module"},
		{Config{}, "", "no module is named"},
	} {
		got, err := c.config.modulePath()
		if got != c.want {
			t.Errorf("%+v: %q", c.config, got)
		}
		if c.text != "" {
			refusedWith(t, err, c.text, "")
		}
	}
}

// libc is a shared library that is no PKCS#11 module.
func libc(t *testing.T) string {
	t.Helper()
	for _, pattern := range []string{"/lib/*/libc.so.6", "/lib64/libc.so.6", "/usr/lib/libc.so.6", "/lib/ld-musl-*.so.1"} {
		if found, err := filepath.Glob(pattern); err == nil && len(found) > 0 {
			return found[0]
		}
	}
	t.Fatal("no C library found: run `make test-deps`")
	return ""
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
