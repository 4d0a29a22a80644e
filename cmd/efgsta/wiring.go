package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/strictyaml"
)

// hsmFile is the wiring of a workspace: which key, through which module. It holds
// no secret and decides nothing that is signed.
const hsmFile = "hsm.yaml"

const hsmSchema = "efgsta.hsm/v1"

type wiring struct {
	Schema   string `yaml:"schema"`
	Key      string `yaml:"key"`
	Module   string `yaml:"module"`
	InitArgs string `yaml:"init-args"`
}

func readWiring(dir string) (wiring, error) {
	var w wiring
	data, err := os.ReadFile(filepath.Join(dir, hsmFile))
	if errors.Is(err, fs.ErrNotExist) {
		return w, nil
	}
	if err != nil {
		return w, err
	}
	if err := strictyaml.Unmarshal(data, 64<<10, &w); err != nil {
		return w, usagef("", "%s: %w", hsmFile, err)
	}
	if w.Schema != hsmSchema {
		return w, usagef("", "%s: schema is %q, expected %q", hsmFile, w.Schema, hsmSchema)
	}
	return w, nil
}

func (w wiring) write(dir string) error {
	text := fmt.Sprintf(`# Where the EFGSTA key is. Wiring only: nothing here is signed or hashed, and no
# PIN belongs here.
schema: %s

# file:PATH (rehearsal) or a PKCS#11 URI such as pkcs11:token=EFGSTA;object=efgsta-2026
key: %q

# The PKCS#11 module, an absolute path; empty for a file key.
module: %q

# The initialisation string that some modules ask for; empty for most.
init-args: %q
`, hsmSchema, w.Key, w.Module, w.InitArgs)
	return atomicfile.Replace(filepath.Join(dir, hsmFile), []byte(text), 0o644)
}

// resolve fills in from hsm.yaml what the command line left out.
func (f *keyFlags) resolve(dir string) (wiring, error) {
	w, err := readWiring(dir)
	if err != nil {
		return w, err
	}
	w.Schema = hsmSchema
	if f.key != "" {
		w.Key = f.key
	}
	if f.module != "" {
		w.Module = f.module
	}
	if f.initArgs != "" {
		w.InitArgs = f.initArgs
	}
	if err := oneModule("--module", f.module, w.Key); err != nil {
		return w, err
	}
	if w.Key == "" {
		return w, usagef("give --key file:keys/efgsta.p8 (rehearsal) or --key 'pkcs11:token=…;object=…' --module FILE", "no key is named, neither by --key nor in %s", hsmFile)
	}
	return w, nil
}

// oneModule refuses a key's URI that names another module than the flag does: one of them
// would be passed over in silence.
func oneModule(flag, module, key string) error {
	if uri, err := hsm.ParseURI(key); err == nil && module != "" && uri.ModulePath != "" && uri.ModulePath != module {
		return usagef("name it in one place", "two modules are named: %s by %s, %s in the key's URI", module, flag, uri.ModulePath)
	}
	return nil
}

// oneSecret reports whether two keys are opened by one PIN or passphrase: they are in one
// token, as far as all that is said of it tells, or they are one file.
func (w wiring) oneSecret(other wiring) bool {
	a, errA := hsm.ParseURI(w.Key)
	b, errB := hsm.ParseURI(other.Key)
	if errA != nil || errB != nil {
		return w.Key == other.Key
	}
	return w.InitArgs == other.InitArgs && cmp.Or(a.ModulePath, w.Module) == cmp.Or(b.ModulePath, other.Module) &&
		a.Token == b.Token && a.Serial == b.Serial && a.Manufacturer == b.Manufacturer && a.Model == b.Model
}
