package bundle

import (
	"bytes"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/release"
)

// Anchor returns the bundle's own copy of the EFGSTA, unverified: it is worth
// something only to a caller who pinned its fingerprint.
func Anchor(tarball []byte) (*anchor.Anchor, error) {
	files, err := Unpack(bytes.NewReader(tarball))
	if err != nil {
		return nil, err
	}
	return anchor.Parse(release.AnchorPath, files[release.AnchorPath])
}
