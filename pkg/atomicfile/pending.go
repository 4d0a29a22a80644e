package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Pending is a file in the making: what is written gets its name with Commit, in
// place of a file that has it, or is gone with Discard.
type Pending struct {
	path string
	file *os.File // nil when it is over
}

// Begin begins a file in the directory of path.
func Begin(path string, perm fs.FileMode) (*Pending, error) {
	f, err := createTemp(path, perm)
	if err != nil {
		return nil, err
	}
	return &Pending{path: path, file: f}, nil
}

// Write adds to the file.
func (p *Pending) Write(b []byte) (int, error) { return p.file.Write(b) }

// Commit gives the file its name. After an error there is no such file, or the one
// that was there before.
func (p *Pending) Commit() error {
	f := p.file
	p.file = nil
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	return SyncDir(filepath.Dir(p.path))
}

// Discard removes what was written. After Commit it does nothing.
func (p *Pending) Discard() {
	if p.file != nil {
		p.file.Close()
		os.Remove(p.file.Name())
		p.file = nil
	}
}
