package main

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// scriptSoftHSM makes a token directory of the session's own. $MODULE is SoftHSM
// behind a layer that counts calls, $PIN and $BADPIN are files.
func scriptSoftHSM(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs("token")
	ts.Check(os.Mkdir(dir, 0o700))
	store, err := softhsmtest.Make(dir)
	ts.Check(err)
	for _, label := range args {
		ts.Check(store.Init(label))
	}
	module, err := ts.Value(moduleKey{}).(func() (string, error))()
	ts.Check(err)
	ts.Setenv(softhsmtest.EnvConf, store.Conf)
	ts.Setenv("COUNTED_MODULE", store.Module)
	ts.Setenv("COUNTED_CALLS", filepath.Join(dir, "calls"))
	ts.Setenv("MODULE", module)
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

// buildCountingModule builds the layer in dir. A token cannot tell how often it was
// asked for a PIN, and that there is one attempt only must be seen where it counts:
// at the module.
func buildCountingModule(dir string) (string, error) {
	out := filepath.Join(dir, "counting.so")
	cmd := exec.Command("cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", out, filepath.Join("testdata", "module", "counting.c"), "-ldl")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cc (if it is missing, run `make test-deps`): %w: %s", err, text)
	}
	return out, nil
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
