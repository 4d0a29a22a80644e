package cert

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// maxChain caps the different certificates of one file among which Submitted looks for
// issuers, each pair of which may cost a signature verification.
const maxChain = 32

// ErrAmbiguous marks an input that does not tell which certificate is submitted.
var ErrAmbiguous = errors.New("cannot tell which certificate is submitted")

// Closed says what of a container was not opened, and so may hold anything; it is
// "" if nothing was.
func (in *Input) Closed() string {
	for _, p := range in.Problems {
		if p.Kind == ProblemPassword || p.Kind == ProblemUnreadable && p.Index < 0 && (in.Kind == kindZip || in.Kind == kindPKCS12) {
			return p.Msg
		}
	}
	return ""
}

// Submitted decides which certificate of the input is the one submitted: the only
// one, or the only one that is neither a CA nor the issuer of another one in the
// file. The reason is a sentence for the user. An error says why it cannot be
// told: ErrNotCertificate or ErrAmbiguous.
func (in *Input) Submitted() (item *Item, reason string, err error) {
	different, leaves, err := in.leaves()
	switch {
	case err != nil:
		return nil, "", err
	case len(different) == 1 && len(in.Items) == 1:
		return different[0], "it is the only certificate in the file", nil
	case len(different) == 1:
		return different[0], fmt.Sprintf("it is the only certificate in the file, %d times", len(in.Items)), nil
	}
	switch len(leaves) {
	case 1:
		return leaves[0], fmt.Sprintf("it is the only one of %d certificates in the file that is neither a CA nor the issuer of another", len(different)), nil
	case 0:
		return nil, "", fmt.Errorf("%w: each of the %d certificates in the file is a CA or the issuer of another: %s", ErrAmbiguous, len(different), list(different))
	}
	return nil, "", fmt.Errorf("%w: %d certificates in the file are neither a CA nor the issuer of another: %s", ErrAmbiguous, len(leaves), list(leaves))
}

// Leaves returns the certificates of a file that brings several: each one that is
// neither a CA nor the issuer of another, once. The errors are those of Submitted.
func (in *Input) Leaves() ([]*Item, error) {
	different, leaves, err := in.leaves()
	if err == nil && len(leaves) == 0 {
		leaves = different // to be refused for what it is
	}
	return leaves, err
}

// leaves also returns the different certificates, of which there is at least one.
func (in *Input) leaves() (different, leaves []*Item, err error) {
	seen := map[Thumbprint]bool{}
	for i := range in.Items {
		it := &in.Items[i]
		if it.Cert == nil {
			return nil, nil, fmt.Errorf("%w: certificate %d of the file%s cannot be read", ErrNotCertificate, it.Index+1, it.place())
		}
		if t := it.Cert.Thumbprint(); !seen[t] {
			seen[t] = true
			different = append(different, it)
		}
	}
	switch {
	case len(different) == 0:
		return nil, nil, fmt.Errorf("%w: no certificate in the file", ErrNotCertificate)
	case len(different) > maxChain:
		return nil, nil, fmt.Errorf("%w: %d different certificates in the file, at most %d are compared", ErrAmbiguous, len(different), maxChain)
	}
	for _, it := range different {
		if !it.Cert.isCA() && !issuesAny(it, different) {
			leaves = append(leaves, it)
		}
	}
	return different, leaves, nil
}

func (c *Certificate) isCA() bool { return c.BasicConstraints != nil && c.BasicConstraints.CA }

func issuesAny(issuer *Item, items []*Item) bool {
	for _, it := range items {
		if it == issuer || len(issuer.Cert.Subject.Raw) == 0 || !bytes.Equal(issuer.Cert.Subject.Raw, it.Cert.Issuer.Raw) {
			continue
		}
		// The name alone decides only where the signature cannot be checked.
		if err := it.Cert.CheckSignedBy(issuer.Cert); err == nil || errors.Is(err, sigalg.ErrUnsupported) {
			return true
		}
	}
	return false
}

func (it *Item) place() string {
	if it.Line == 0 {
		return ""
	}
	return fmt.Sprintf(" (line %d)", it.Line)
}

// list names candidates by thumbprint, which unlike their names is not theirs to choose.
func list(items []*Item) string {
	const most = 5
	var out []string
	for i, it := range items {
		if i == most {
			out = append(out, fmt.Sprintf("and %d more", len(items)-most))
			break
		}
		out = append(out, fmt.Sprintf("%d%s sha256 %s", it.Index+1, it.place(), it.Cert.Thumbprint()))
	}
	return strings.Join(out, ", ")
}
