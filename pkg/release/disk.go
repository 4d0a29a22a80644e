package release

import (
	"fmt"
	"io/fs"
)

// ReadDir reads a release from a file system: regular files only, within the caps.
func ReadDir(fsys fs.FS) (Files, error) {
	files := Files{}
	total := 0
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%w: %s is not a regular file", ErrInvalid, name)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Size() > MaxFile || len(files) >= MaxFiles || total+int(info.Size()) > MaxTotal {
			return fmt.Errorf("%w: %s: too large a release", ErrInvalid, name)
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		files[name] = data
		total += len(data)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}
