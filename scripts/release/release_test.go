//go:build release

package release

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/macho"
	"debug/pe"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var platforms = []string{"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}

// build runs the script of the tree at root, and returns what it wrote, by name.
func build(t *testing.T, root string, env []string, platforms ...string) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "release.sh"), append([]string{dir}, platforms...)...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("release.sh: %v\n%s", err, out)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func TestRelease(t *testing.T) {
	// Both are copies: whoever owns this tree, git looks at them, and they stay the same.
	root := filepath.Join(t.TempDir(), "tree")
	elsewhere := filepath.Join(t.TempDir(), "another place", "tree")
	if err := os.CopyFS(root, os.DirFS(filepath.Join("..", ".."))); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(elsewhere, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	first := build(t, root, nil)
	if len(first) != len(platforms)+1 {
		t.Errorf("%d files", len(first))
	}

	host := runtime.GOOS + "/" + runtime.GOARCH
	if !slices.Contains(platforms, host) {
		t.Fatalf("%s is none of the platforms: nothing can be built anew", host)
	}
	foreign := []string{"GOAMD64=v3", "GOFLAGS=-tags=other", "GOEXPERIMENT=nodwarf5", "HOME=" + t.TempDir()}
	cache, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE", "GOCACHE", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	caches := strings.Split(strings.TrimSpace(string(cache)), "\n")
	foreign = append(foreign, "GOMODCACHE="+caches[0])
	// Everything is compiled anew for this system; for the others, linked anew. What is
	// set around the script must not show.
	second := build(t, elsewhere, append(foreign, "GOCACHE="+t.TempDir()), host)
	delete(second, "SHA256SUMS")
	rest := slices.DeleteFunc(slices.Clone(platforms), func(p string) bool { return p == host })
	for name, data := range build(t, elsewhere, append(foreign, "GOCACHE="+caches[1]), rest...) {
		if name != "SHA256SUMS" {
			second[name] = data
		}
	}

	sums := string(first["SHA256SUMS"])
	delete(first, "SHA256SUMS")
	for name, data := range first {
		if !bytes.Equal(data, second[name]) {
			t.Errorf("%s: the second build has other bytes (%d and %d of them)", name, len(data), len(second[name]))
		}
		if line := fmt.Sprintf("%x  %s\n", sha256.Sum256(data), name); !strings.Contains(sums, line) {
			t.Errorf("SHA256SUMS lacks %s", line)
		}
		for _, path := range []string{root, caches[0], caches[2]} {
			if bytes.Contains(data, []byte(path+"/")) {
				t.Errorf("%s names %s", name, path)
			}
		}
		platform(t, name, data)
	}
	if t.Failed() {
		return
	}
	for name, data := range first {
		if strings.Contains(name, "_"+runtime.GOOS+"_"+runtime.GOARCH) {
			starts(t, name, data)
		}
	}
}

// platform looks at what a file is for, what it was built with, and that it is static.
func platform(t *testing.T, name string, data []byte) {
	t.Helper()
	parts := strings.Split(strings.TrimSuffix(name, ".exe"), "_")
	system, arch := parts[2], parts[3]
	info, err := buildinfo.Read(bytes.NewReader(data))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["GOOS"] != system || settings["GOARCH"] != arch || settings["CGO_ENABLED"] != "0" || settings["-trimpath"] != "true" || settings["-tags"] != "" {
		t.Errorf("%s is built with %v", name, settings)
	}
	switch system {
	case "linux":
		f, err := elf.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if f.Machine != map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[arch] {
			t.Errorf("%s is for %v", name, f.Machine)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s is not static: it has %v", name, p.Type)
			}
		}
	case "darwin":
		f, err := macho.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if f.Cpu != map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64}[arch] {
			t.Errorf("%s is for %v", name, f.Cpu)
		}
		libraries, err := f.ImportedLibraries() // no program is fully static there
		for _, l := range libraries {
			if !strings.HasPrefix(l, "/usr/lib/") && !strings.HasPrefix(l, "/System/Library/") {
				t.Errorf("%s needs %s, which is no part of the system", name, l)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	case "windows":
		f, err := pe.NewFile(bytes.NewReader(data))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if f.Machine != map[string]uint16{"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64}[arch] {
			t.Errorf("%s is for machine %#x", name, f.Machine)
		}
		symbols, err := f.ImportedSymbols()
		for _, s := range symbols {
			if _, library, _ := strings.Cut(s, ":"); !strings.EqualFold(library, "kernel32.dll") {
				t.Errorf("%s needs %s", name, s)
			}
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// starts runs a file and holds the version in its name to its own.
func starts(t *testing.T, name string, data []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if version := strings.Split(name, "_")[1]; err != nil || string(out) != "efgsta version "+version+"\n" {
		t.Errorf("%s --version: %q, %v", name, out, err)
	}
}
