// Package bundle packs a release for one target into a deterministic tar, reads
// one safely, and remembers what was accepted last so that an older one is refused.
package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/release"
)

// ErrArchive marks a tar that is not one of ours.
var ErrArchive = errors.New("not a bundle")

// order puts the manifest and its signatures first, then files by path.
func order(files release.Files) []string {
	first := []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS}
	var names []string
	for _, name := range first {
		if _, ok := files[name]; ok {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !slices.Contains(first, name) {
			names = append(names, name)
		}
	}
	return names
}

// Pack returns the tar of one target of a release: the manifest, the trust files
// and the target's files. The same release gives the same bytes.
func Pack(files release.Files, m release.Manifest, target release.Target) ([]byte, error) {
	if target == release.TargetRecord {
		return nil, fmt.Errorf("files for %s stay in the workspace", target)
	}
	names := []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS}
	has := false
	for _, f := range m.Files {
		if f.Target == target || f.Target == release.TargetTrust {
			names = append(names, f.Path)
			has = has || f.Target == target
		}
	}
	if !has {
		return nil, fmt.Errorf("release %d holds no files for %s", m.Sequence, target)
	}
	part := release.Files{}
	for _, name := range names {
		data, ok := files[name]
		if !ok {
			return nil, fmt.Errorf("release %d: %s is missing", m.Sequence, name)
		}
		part[name] = data
	}
	return archive(part, m.Issued)
}

// archive writes the one tar of these files.
func archive(files release.Files, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range order(files) {
		if err := w.WriteHeader(header(name, len(files[name]), at)); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// header has nothing of the machine in it: no owner, one mode, the release's time.
func header(name string, size int, at time.Time) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(size), Mode: 0o644, ModTime: at.UTC(), Format: tar.FormatUSTAR}
}

// Unpack reads a bundle into memory: regular files with plain relative names, each
// once, within the release's caps. Padding, order and headers carry no meaning, so
// only the bytes that Pack writes for these files are taken. It writes nothing.
func Unpack(r io.Reader) (release.Files, error) {
	tarball, err := io.ReadAll(io.LimitReader(r, release.MaxTotal+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	if len(tarball) > release.MaxTotal {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrArchive, release.MaxTotal)
	}
	files, at, err := read(tarball)
	if err != nil {
		return nil, err
	}
	again, err := archive(files, at)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArchive, err)
	}
	if !bytes.Equal(again, tarball) {
		return nil, otherForm()
	}
	return files, nil
}

// otherForm is an archive that some other program wrote, or touched.
func otherForm() error {
	return fmt.Errorf("%w: the archive is not the one that efgsta writes for these files", ErrArchive)
}

// read returns the files and the time of the first.
func read(tarball []byte) (files release.Files, at time.Time, err error) {
	tr := tar.NewReader(bytes.NewReader(tarball))
	files = release.Files{}
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, at, fmt.Errorf("%w: %w", ErrArchive, err)
		}
		if err := checkHeader(h, files); err != nil {
			return nil, at, err
		}
		if len(files) == 0 {
			at = h.ModTime
		}
		if files[h.Name], err = io.ReadAll(tr); err != nil {
			return nil, at, fmt.Errorf("%w: %q: %w", ErrArchive, h.Name, err)
		}
	}
	if len(files) == 0 {
		return nil, at, fmt.Errorf("%w: no files in it", ErrArchive)
	}
	return files, at, nil
}

func checkHeader(h *tar.Header, files release.Files) error {
	_, dup := files[h.Name]
	switch {
	case h.Typeflag != tar.TypeReg || h.Format != tar.FormatUSTAR: // other formats have files larger than the archive
		return fmt.Errorf("%w: %q is not a regular file", ErrArchive, h.Name)
	case h.Name == "" || path.Clean(h.Name) != h.Name || path.IsAbs(h.Name) || h.Name == ".." || strings.HasPrefix(h.Name, "../") || strings.ContainsAny(h.Name, "\\:\x00"):
		return fmt.Errorf("%w: name %q is not allowed", ErrArchive, h.Name)
	case dup:
		return fmt.Errorf("%w: %q is there twice", ErrArchive, h.Name)
	case h.Size < 0 || h.Size > release.MaxFile:
		return fmt.Errorf("%w: %q has %d bytes, at most %d are read", ErrArchive, h.Name, h.Size, release.MaxFile)
	case len(files) >= release.MaxFiles+3:
		return fmt.Errorf("%w: more than %d files", ErrArchive, release.MaxFiles)
	}
	return nil
}
