// Package bundle packs a release for one target into a deterministic tar, reads
// one safely, and remembers what was accepted last so that an older one is refused.
package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
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
	var rest []string
	for name := range files {
		if !slices.Contains(first, name) {
			rest = append(rest, name)
		}
	}
	slices.Sort(rest)
	return append(first, rest...)
}

// Pack returns the tar of one target of a release: the manifest, the trust files
// and the target's files. The same release gives the same bytes.
func Pack(files release.Files, m release.Manifest, target release.Target) ([]byte, error) {
	part := release.Files{}
	for _, name := range []string{release.ManifestPath, release.ManifestSig, release.ManifestCMS} {
		part[name] = files[name]
	}
	has := false
	for _, f := range m.Files {
		if f.Target == target || f.Target == release.TargetTrust {
			part[f.Path] = files[f.Path]
			has = has || f.Target == target
		}
	}
	if !has {
		return nil, fmt.Errorf("release %d holds no files for %s", m.Sequence, target)
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range order(part) {
		if err := w.WriteHeader(header(name, len(part[name]), m.Issued)); err != nil {
			return nil, err
		}
		if _, err := w.Write(part[name]); err != nil {
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
// once, in Pack's order and within the release's caps. It writes nothing.
func Unpack(r io.Reader) (release.Files, error) {
	limited := &io.LimitedReader{R: r, N: release.MaxTotal + 1}
	tr := tar.NewReader(limited)
	files := release.Files{}
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrArchive, err)
		}
		if err := checkHeader(h, files); err != nil {
			return nil, err
		}
		data := make([]byte, h.Size)
		if _, err := io.ReadFull(tr, data); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrArchive, h.Name, err)
		}
		files[h.Name] = data
	}
	if limited.N <= 0 {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrArchive, release.MaxTotal)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%w: no files in it", ErrArchive)
	}
	return files, nil
}

func checkHeader(h *tar.Header, files release.Files) error {
	_, dup := files[h.Name]
	switch {
	case h.Typeflag != tar.TypeReg:
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
