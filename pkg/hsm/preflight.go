package hsm

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// maxModule is the size cap in bytes; vendor modules with everything linked in
// are tens of megabytes.
const maxModule = 512 << 20

// entryPoint is the one symbol that makes a library a PKCS#11 module.
const entryPoint = "C_GetFunctionList"

// moduleFile is a module that passed preflight.
type moduleFile struct {
	path, sha256 string
	needs        []string // libraries it loads
}

// preflight finds the reason why a module would not load: the loader gives none.
func preflight(path string) (moduleFile, error) {
	refuse := func(next string, err error) (moduleFile, error) {
		return moduleFile{}, &Error{Op: "load module", What: quote(path), Err: err, Next: next}
	}
	if !filepath.IsAbs(path) {
		return refuse("give the absolute path: a bare name would be searched for in system directories", errors.New("the path is not absolute"))
	}
	// Before opening it: a FIFO would wait for a writer.
	info, err := os.Stat(path)
	if err != nil {
		return refuse("is the vendor's PKCS#11 library installed, and may this user read it?", bare(err))
	}
	if !info.Mode().IsRegular() {
		return refuse("name the library file itself", errors.New("not a regular file"))
	}
	if info.Size() > maxModule {
		return refuse("is this the right file?", fmt.Errorf("larger than %d MiB", maxModule>>20))
	}
	f, err := os.Open(path)
	if err != nil {
		return refuse("may this user read it?", bare(err))
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, io.LimitReader(f, maxModule)); err != nil {
		return refuse("", bare(err))
	}
	file := moduleFile{path: path, sha256: hex.EncodeToString(hash.Sum(nil))}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return file, nil // not ELF there: the loader decides
	}
	if file.needs, err = checkELF(f); err != nil {
		return refuse("name the vendor's PKCS#11 library for this machine", err)
	}
	return file, nil
}

// bare takes the path out of a file error: it is named already.
func bare(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// checkELF requires a shared library for this machine that exports the entry
// point, and returns what it needs loaded.
func checkELF(r io.ReaderAt) ([]string, error) {
	lib, err := elf.NewFile(r)
	if err != nil {
		return nil, errors.New("not a shared library (no ELF file)")
	}
	class, machine, ok := hostELF()
	if ok && (lib.Class != class || lib.Machine != machine) {
		return nil, fmt.Errorf("built for %v %v, this program for %v %v", lib.Class, lib.Machine, class, machine)
	}
	if lib.Type != elf.ET_DYN {
		return nil, fmt.Errorf("not a shared library (ELF type %v)", lib.Type)
	}
	symbols, err := lib.DynamicSymbols()
	if err != nil {
		return nil, errors.New("not a PKCS#11 module: it exports nothing")
	}
	for _, s := range symbols {
		if s.Name == entryPoint && s.Section != elf.SHN_UNDEF {
			needs, err := lib.ImportedLibraries()
			if err != nil {
				needs = nil // only for a hint
			}
			return needs, nil
		}
	}
	return nil, errors.New("not a PKCS#11 module: it does not export " + entryPoint)
}

// hostELF is the class and machine of this program, false for one not listed.
func hostELF() (elf.Class, elf.Machine, bool) {
	switch runtime.GOARCH {
	case "amd64":
		return elf.ELFCLASS64, elf.EM_X86_64, true
	case "arm64":
		return elf.ELFCLASS64, elf.EM_AARCH64, true
	case "riscv64":
		return elf.ELFCLASS64, elf.EM_RISCV, true
	case "ppc64le":
		return elf.ELFCLASS64, elf.EM_PPC64, true
	case "s390x":
		return elf.ELFCLASS64, elf.EM_S390, true
	case "386":
		return elf.ELFCLASS32, elf.EM_386, true
	case "arm":
		return elf.ELFCLASS32, elf.EM_ARM, true
	}
	return 0, 0, false
}
