package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// scriptSoftHSM makes a token directory of the session's own. $MODULE is SoftHSM
// behind a layer that counts calls, $CRASHING a module that ends the process, $PIN and
// $BADPIN are files.
func scriptSoftHSM(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs("token")
	ts.Check(os.Mkdir(dir, 0o700))
	store, err := softhsmtest.Make(dir)
	ts.Check(err)
	for _, label := range args {
		ts.Check(store.Init(label))
	}
	modules, err := ts.Value(moduleKey{}).(func() (string, error))()
	ts.Check(err)
	ts.Setenv(softhsmtest.EnvConf, store.Conf)
	ts.Setenv("COUNTED_MODULE", store.Module)
	ts.Setenv("COUNTED_CALLS", filepath.Join(dir, "calls"))
	ts.Setenv("MODULE", filepath.Join(modules, "counting.so"))
	ts.Setenv("CRASHING", filepath.Join(modules, "crashing.so"))
	for name, pin := range map[string]string{"PIN": softhsmtest.UserPIN, "BADPIN": "918273"} {
		path := filepath.Join(dir, name)
		ts.Check(os.WriteFile(path, []byte(pin+"\n"), 0o600))
		ts.Setenv(name, path)
	}
}

// scriptCalls compares how often a function of the module was called since it was
// last asked for any.
func scriptCalls(ts *testscript.TestScript, _ bool, args []string) {
	if len(args)%2 != 0 || len(args) == 0 {
		ts.Fatalf("usage: calls NAME N…")
	}
	log := ts.Getenv("COUNTED_CALLS")
	data, err := os.ReadFile(log)
	if !os.IsNotExist(err) {
		ts.Check(err)
	}
	for i := 0; i < len(args); i += 2 {
		want, err := strconv.Atoi(args[i+1])
		ts.Check(err)
		if got := strings.Count(string(data), args[i]+"\n"); got != want {
			ts.Fatalf("%d calls of %s, want %d", got, args[i], want)
		}
	}
	ts.Check(os.RemoveAll(log))
}

// moduleKey is where a session finds the builder of the counting layer.
type moduleKey struct{}

// buildModules builds, in dir, a layer over SoftHSM that counts calls, and a module
// that crashes. A token cannot tell how often it was asked for a PIN, and that there is
// one attempt only must be seen where it counts: at the module.
func buildModules(dir string) (string, error) {
	for _, name := range []string{"counting", "crashing"} {
		cmd := exec.Command("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", filepath.Join(dir, name+".so"), filepath.Join("testdata", "module", name+".c"), "-ldl")
		if text, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("cc (if it is missing, run `make test-deps`): %w: %s", err, text)
		}
	}
	return dir, nil
}

// keysKey is where a session keeps the keys of weakkey, by label.
type keysKey struct{}

// scriptWeakKey imports a key into a token from outside: extractable, not made there.
// The key of a label is the same each time, so that two tokens can hold it, or one
// token twice; it stays in token/LABEL.key. Further words are flags of softhsm2-util --import.
func scriptWeakKey(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: weakkey TOKEN LABEL [FLAG…]")
	}
	keys := ts.Value(keysKey{}).(map[string]*ecdsa.PrivateKey)
	label := args[1]
	if keys[label] == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		keys[label] = key
	}
	der, err := x509.MarshalPKCS8PrivateKey(keys[label])
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(filepath.Dir(ts.Getenv(softhsmtest.EnvConf)), label+".key"), toPEM("PRIVATE KEY", der), 0o600))
	ts.Check(softhsmtest.Import(ts.Getenv(softhsmtest.EnvConf), args[0], label, keys[label], args[2:]...))
}

// scriptFiles writes the names and SHA-256 of all files under a directory to OUT.
func scriptFiles(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2, "files DIR OUT")
	var text strings.Builder
	dir := ts.MkAbs(args[0])
	ts.Check(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		fmt.Fprintf(&text, "%x %s\n", sha256.Sum256(data), strings.TrimPrefix(path, dir))
		return err
	}))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text.String()), 0o644))
}

// secretOctets are the octets that make a PKCS#8 key private.
func secretOctets(p8 []byte) ([]byte, error) {
	key, err := x509.ParsePKCS8PrivateKey(p8)
	if err != nil {
		return nil, err
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		return k.Bytes()
	case *rsa.PrivateKey:
		return k.D.Bytes(), nil
	}
	return nil, fmt.Errorf("key of type %T", key)
}
