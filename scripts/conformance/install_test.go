//go:build conformance

package conformance

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const ourModule = "github.com/efgsta/efgsta"

// sources is this tree, as a release would have it: every file but what make and git made.
func sources(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains([]string{".git", "bin", "demo", "dist"}, name) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			files[filepath.ToSlash(name)] = read(t, path)
		}
		return nil
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	return files
}

// ourVersion is the tag that the examples ask for.
func ourVersion(t *testing.T) string {
	t.Helper()
	efgsta, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(run(t, efgsta, "--version"))
	return "v" + fields[len(fields)-1]
}

// offline is an environment in which go takes modules from files only: the proxies
// that are given, and what this machine has downloaded for our own build.
func offline(t *testing.T, home string, proxies ...string) []string {
	t.Helper()
	goEnv := func(name string) string { return strings.TrimSpace(run(t, "go", "env", name)) }
	proxies = append(proxies, "file://"+filepath.ToSlash(filepath.Join(goEnv("GOMODCACHE"), "cache", "download")))
	return append(os.Environ(), "HOME="+home, "GOCACHE="+goEnv("GOCACHE"), "GOPROXY="+strings.Join(proxies, ","), "GOSUMDB=off", "GOFLAGS=-trimpath -modcacherw", "GOBIN=", "GOMODCACHE=", "CGO_ENABLED=0")
}

func runIn(t *testing.T, dir string, env []string, name string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tool(t, name), args...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("%s: %v", name, err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// The line with which the examples install efgsta, over a proxy that serves this tree.
func TestGoInstall(t *testing.T) {
	version := ourVersion(t)
	dir := t.TempDir()
	at := filepath.Join(dir, "proxy", filepath.FromSlash(ourModule), "@v")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	files := sources(t)
	for name, data := range files {
		w, err := z.Create(ourModule + "@" + version + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, at, "list", []byte(version+"\n"))
	write(t, at, version+".zip", archive.Bytes())
	write(t, at, version+".mod", files["go.mod"])
	write(t, at, version+".info", fmt.Appendf(nil, `{"Version":%q}`, version))

	line := regexp.MustCompile(`run: (go install .*)`).FindSubmatch(files["examples/ci/github-workflow.yml"])
	if line == nil {
		t.Fatal("the workflow installs nothing")
	}
	env := append(offline(t, dir, "file://"+filepath.ToSlash(filepath.Join(dir, "proxy"))), "GOPATH="+filepath.Join(dir, "go"), "EFGSTA_VERSION="+version)
	if r := runIn(t, dir, env, "sh", "-c", string(line[1])); r.code != 0 {
		t.Fatalf("%s: exit %d\n%s", line[1], r.code, r.stderr)
	}
	efgsta := filepath.Join(dir, "go", "bin", "efgsta")
	if got := run(t, efgsta, "--version"); "v"+strings.TrimSpace(strings.TrimPrefix(got, "efgsta version ")) != version {
		t.Errorf("installed is %s", got)
	}
	if r := try(t, reported(t, p256Key(), -1, "Health Agency"), efgsta, "check", "--country", "DE", "-"); r.code != 0 {
		t.Errorf("check: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

// pre-commit takes the hook from a clone of this tree, builds it, and runs it over
// what is to be committed, all by the example.
func TestPreCommit(t *testing.T) {
	version := ourVersion(t)
	home := t.TempDir()
	hooks, consumer := filepath.Join(home, "hooks"), filepath.Join(home, "consumer")
	files := sources(t)
	for name, data := range files {
		place(t, filepath.Join(hooks, filepath.FromSlash(name)), data)
	}
	write(t, home, ".gitconfig", []byte("[user]\n\tname = X\n\temail = x@example.eu\n[init]\n\tdefaultBranch = main\n"+
		"[url \"file://"+hooks+"\"]\n\tinsteadOf = https://"+ourModule+"\n[safe]\n\tdirectory = *\n"))
	env := append(offline(t, home), "PRE_COMMIT_HOME="+filepath.Join(home, "cache"), "GIT_CONFIG_NOSYSTEM=1")
	git := func(dir string, args ...string) {
		t.Helper()
		if r := runIn(t, dir, env, "git", args...); r.code != 0 {
			t.Fatalf("git %s: %s", strings.Join(args, " "), r.stderr)
		}
	}
	git(hooks, "init", "-q")
	git(hooks, "add", "-A")
	git(hooks, "commit", "-q", "-m", "release")
	git(hooks, "tag", version)

	place(t, filepath.Join(consumer, ".pre-commit-config.yaml"), files["examples/ci/pre-commit-config.yaml"])
	place(t, filepath.Join(consumer, "certs", "good.pem"), reported(t, p256Key(), -1, "Health Agency"))
	git(consumer, "init", "-q")
	git(consumer, "add", "-A")
	commit := func() result {
		t.Helper()
		return runIn(t, consumer, env, "pre-commit", "run", "--all-files", "--verbose", "--color", "never")
	}
	if r := commit(); r.code != 0 || !strings.Contains(r.stdout, "1 accepted") {
		t.Errorf("a good certificate: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
	place(t, filepath.Join(consumer, "certs", "weak.pem"), reported(t, must(rsa.GenerateKey(rand.Reader, 2048)), x509.ExtKeyUsage(-1), "Health Agency"))
	git(consumer, "add", "-A")
	if r := commit(); r.code != 1 || !strings.Contains(r.stdout, "1 accepted, 1 refused") || !strings.Contains(r.stdout, "exit code: 1") {
		t.Errorf("a weak key: exit %d\n%s%s", r.code, r.stdout, r.stderr)
	}
}

func place(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Dir(path), filepath.Base(path), data)
}
