// Package release is what one signing produces: the trust list, the certificates
// with their signatures, each target's files, and the one signed manifest that
// lists them all. It renders a release and verifies one.
package release

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
)

// ErrInvalid marks a release or bundle that must not be used.
var ErrInvalid = errors.New("release not valid")

// Files are a release's files by slash-separated path.
type Files map[string][]byte

// Caps of one release: nothing honest comes near them.
const (
	MaxFiles = 20_000
	MaxFile  = 64 << 20 // bytes
	MaxTotal = 256 << 20
)

// Target is who a file is for.
type Target string

// The targets. Files of TargetTrust are in every bundle; those of TargetRecord stay in the workspace.
const (
	TargetTrust   Target = "trust"
	TargetGateway Target = "gateway"
	TargetRecord  Target = "record"
)

// Paths of the manifest, which cannot list itself.
const (
	ManifestPath = "manifest.json"
	ManifestSig  = "manifest.json.sig"
	ManifestCMS  = "manifest.json.p7s"
)

// Paths that every release has.
const (
	ListPath    = "trust/trustlist.json"
	ListCMSPath = "trust/trustlist.json.p7s"
	AnchorPath  = "trust/efgsta.pem"
	PlanPath    = "record/plan.json"
)

// What people said of the plan before it was signed, in the record of a release.
const (
	ApprovalsDir = "record/approvals/" // one file for each approver
	SignerPath   = "record/signer.json"
)

// IsStatement reports whether a file of a release is what a person said of its plan.
func IsStatement(path string) bool {
	return path == SignerPath || strings.HasPrefix(path, ApprovalsDir)
}

const certificatesDir = "trust/certificates/"

// Renderer names the code that made a file, with its version: a verifier whose
// renderer has the same version can make the file again and compare.
type Renderer string

// The renderers of this version.
const (
	RenderCopy      Renderer = "copy/1"      // the bytes that were signed or recorded
	RenderSignature Renderer = "signature/1" // a signature over another file
	RenderGateway   Renderer = "gateway/1"   // derived from list and signatures
)

// of reports whether a renderer of any version can make files of the target.
func (r Renderer) of(t Target) bool {
	name, version, ok := strings.Cut(string(r), "/")
	if n, err := strconv.Atoi(version); !ok || err != nil || n < 1 || strconv.Itoa(n) != version {
		return false
	}
	if t == TargetGateway {
		return name == "gateway"
	}
	return name == "copy" || name == "signature"
}

// Manifest lists every file of a release. It is the last thing signed.
type Manifest struct {
	Schema      anchor.Schema `json:"schema"`
	ListID      string        `json:"listId"`
	Environment string        `json:"environment"`
	Sequence    uint64        `json:"sequence"`
	Issued      time.Time     `json:"issued"`
	NotBefore   time.Time     `json:"notBefore"`
	Expires     time.Time     `json:"expires"`
	Previous    string        `json:"previous"` // SHA-256 of the manifest before, "" for the first
	Anchor      string        `json:"anchor"`   // SHA-256 of the EFGSTA certificate
	Journal     JournalHead   `json:"journal"`
	Plan        string        `json:"plan"` // digest of the plan that was signed
	Tool        string        `json:"tool"`
	Files       []File        `json:"files"`
}

// JournalHead is the last event that the release knows of: signing it keeps
// history from being rewritten behind a signature.
type JournalHead struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// File is one file of the release.
type File struct {
	Path     string   `json:"path"`
	Target   Target   `json:"target"`
	Renderer Renderer `json:"renderer"`
	Size     int      `json:"size"` // bytes
	SHA256   string   `json:"sha256"`
}

// Digest is the lower-case hex SHA-256 of b.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
